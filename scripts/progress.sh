#!/usr/bin/env bash
# progress.sh TITLE COMMAND...
#
# Runs a long `go` command that was given -v and tells how far it is: a cold build fetches hundreds of modules and
# compiles for minutes, and without a sign of life people take it for hung. The names that go prints (modules fetched,
# packages compiled) are counted; everything else, compile errors above all, passes through unchanged.
set -uo pipefail

title=$1
shift

fetched=0 compiled=0 drawn=0 said=0
start=$SECONDS
interactive=false
if [ -t 2 ]; then interactive=true; fi

counts() {
  printf '  %s: %d s' "$title" "$((SECONDS - start))"
  if ((fetched > 0)); then printf ', %d modules fetched' "$fetched"; fi
  if ((compiled > 0)); then printf ', %d packages' "$compiled"; fi
}

clear_line() {
  if ((drawn)); then printf '\r\033[K' >&2; fi
  drawn=0
}

tell() {
  if $interactive; then
    printf '\r\033[K%s' "$(counts)" >&2
    drawn=1
  elif ((SECONDS - start - said >= 15)); then
    counts >&2
    printf '\n' >&2
    said=$((SECONDS - start))
  fi
}

package='^[a-zA-Z0-9][A-Za-z0-9._~/-]*$'
exec 3< <("$@" 2>&1)
command=$!
shown=-1
while true; do
  if IFS= read -r -t 1 line <&3; then
    if [[ $line == 'go: downloading '* ]]; then
      fetched=$((fetched + 1))
    elif [[ $line =~ $package ]]; then
      compiled=$((compiled + 1))
    else
      clear_line
      printf '%s\n' "$line" >&2
    fi
  elif (($? <= 128)); then # end of output; above 128 the read only timed out
    break
  fi
  if ((SECONDS != shown)); then
    tell
    shown=$SECONDS
  fi
done

wait "$command"
status=$?
clear_line
if ((status == 0)); then
  counts >&2
  printf '\n' >&2
else
  printf '  %s: failed after %d s\n' "$title" "$((SECONDS - start))" >&2
fi
exit "$status"
