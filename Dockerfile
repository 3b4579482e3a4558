# syntax=docker/dockerfile:1

# One image, two binaries: `docket` (serve, work, migrate and the command line) and `docket-devstack` (the Temporal
# server with its Web UI). docker-compose.yml runs both from it.

FROM golang:1.26.8-bookworm AS build
ENV CGO_ENABLED=0 GOTOOLCHAIN=local
WORKDIR /src

# Dependencies first: these layers change only with the module files. The server's module is the slow one.
COPY devstack/go.mod devstack/go.sum devstack/
RUN go mod download -C devstack
COPY go.mod go.sum ./
RUN go mod download

COPY devstack devstack
RUN --mount=type=cache,target=/root/.cache/go-build \
    go build -C devstack -trimpath -ldflags='-s -w' -o /out/docket-devstack .
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -ldflags='-s -w' -o /out/docket ./cmd/docket

FROM debian:bookworm-slim
# Zone files for SLA calendars and billing periods, certificates for TLS to a database or collector elsewhere.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin docket
COPY --from=build /out/ /usr/local/bin/
USER docket
ENTRYPOINT ["docket"]
