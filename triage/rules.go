package triage

// Category says what a ticket is about.
type Category string

// The categories of an MSP's desk.
const (
	PasswordReset   Category = "password-reset"
	Access          Category = "access"
	Email           Category = "email"
	Hardware        Category = "hardware"
	Network         Category = "network"
	Software        Category = "software"
	Backup          Category = "backup"
	Security        Category = "security"
	Onboarding      Category = "onboarding"
	Offboarding     Category = "offboarding"
	Purchase        Category = "purchase"
	Project         Category = "project"
	Printer         Category = "printer"
	Phone           Category = "phone"
	BillingQuestion Category = "billing-question"
	Other           Category = "other"
)

// rule is one row of the table: phrases that speak for a category, how strongly, and what they make of it.
// A phrase matches whole words; a trailing * also matches longer ones (phish* finds phishing).
type rule struct {
	category    Category
	subcategory string
	weight      int // 1 a hint, 3 plain, 6 decides even against another plain word
	phrases     []string
}

// rules are read from top to bottom; where subcategories tie, the first row names it.
var rules = []rule{
	{PasswordReset, "forgotten", 6, []string{"password reset", "reset password", "reset my password", "reset the password", "forgot my password", "forgotten password", "forgot password", "password expired", "expired password", "change my password"}},
	{PasswordReset, "locked-out", 6, []string{"account locked", "locked account", "account is locked", "locked out", "unlock account", "unlock my account", "unlock the account"}},
	{PasswordReset, "multi-factor", 6, []string{"mfa", "2fa", "authenticator", "two factor", "multi factor", "one time code"}},
	{PasswordReset, "", 2, []string{"password", "passwords", "passcode"}},

	{Access, "folder", 6, []string{"shared folder", "folder access", "access to the folder", "access to folder", "file share", "network drive", "mapped drive"}},
	{Access, "permission", 3, []string{"permission", "permissions", "access denied", "access rights", "grant access", "need access", "needs access", "request access", "access to", "admin rights", "administrator rights", "sharepoint access"}},
	{Access, "sign-in", 3, []string{"cannot log in", "can t log in", "cannot login", "can t login", "cannot sign in", "can t sign in", "unable to log in", "unable to login", "login failed"}},

	{Email, "delivery", 6, []string{"not receiving email*", "not receiving mail*", "emails bounce", "email bounced", "bounce back", "undeliverable", "mail delivery", "cannot send email*", "can t send email*"}},
	{Email, "mailbox", 6, []string{"shared mailbox", "mailbox full", "mailbox is full", "distribution list", "out of office", "email signature"}},
	{Email, "client", 3, []string{"outlook", "mailbox", "exchange online"}},
	{Email, "", 2, []string{"email", "emails", "e mail", "mails"}},

	{Printer, "", 6, []string{"printer", "printers", "toner", "paper jam", "print queue", "print job", "scan to email", "scan to mail"}},
	{Printer, "", 3, []string{"print", "printing", "scanner", "copier"}},

	{Phone, "", 6, []string{"voip", "voicemail", "desk phone", "phone line", "phone system", "softphone", "dial tone", "call forwarding", "handset"}},
	{Phone, "", 3, []string{"phone", "phones", "telephone", "extension", "incoming calls", "outgoing calls"}},

	{Network, "remote", 6, []string{"vpn", "remote access", "remote desktop gateway"}},
	{Network, "wireless", 6, []string{"wifi", "wi fi", "wireless", "access point"}},
	{Network, "connection", 6, []string{"no internet", "internet down", "internet is down", "internet is slow", "network down", "network is down", "firewall rule", "dns", "dhcp", "packet loss"}},
	{Network, "", 3, []string{"network", "internet", "firewall", "router", "bandwidth", "ethernet", "switch port"}},

	{Hardware, "computer", 6, []string{"blue screen", "bsod", "won t turn on", "will not turn on", "does not turn on", "not booting", "won t boot", "cracked screen", "broken screen", "battery swollen", "overheating"}},
	{Hardware, "", 3, []string{"laptop", "desktop computer", "workstation", "monitor", "keyboard", "mouse", "docking station", "hard drive", "hard disk", "battery", "headset", "webcam", "projector", "server room"}},

	{Backup, "restore", 6, []string{"restore file*", "restore the file*", "restore from backup", "deleted file*", "deleted folder", "recover file*", "recover the file*"}},
	{Backup, "job", 6, []string{"backup failed", "backup failure", "backup job", "backups failed", "failed backup", "backup error", "replication failed"}},
	{Backup, "", 3, []string{"backup", "backups", "restore", "snapshot"}},

	{Security, "phishing", 8, []string{"phish*", "suspicious email*", "suspicious link", "suspicious mail*", "clicked a link", "clicked on a link", "spoof*"}},
	{Security, "malware", 8, []string{"ransomware", "malware", "virus", "trojan", "files are encrypted", "files encrypted"}},
	{Security, "breach", 8, []string{"hacked", "account compromised", "compromised account", "data breach", "security incident", "unauthorized access", "unauthorised access", "unusual sign in"}},
	{Security, "", 3, []string{"antivirus", "security alert", "vulnerability", "edr alert"}},

	{Onboarding, "", 8, []string{"new employee", "new starter", "new hire", "new joiner", "onboarding", "onboard", "new user account", "create new user", "create a new user", "first day", "starts on monday"}},
	{Offboarding, "", 8, []string{"offboarding", "offboard", "leaver", "last day", "leaving the company", "left the company", "no longer with us", "no longer works", "terminated employee", "terminate user", "disable the account", "disable account", "deactivate account"}},

	{Purchase, "", 6, []string{"purchase", "quote for", "place an order", "please order", "order a", "order new", "buy a", "buy new", "procure*", "new laptop", "new monitor", "additional licence*", "additional license*"}},
	{Project, "", 6, []string{"migration", "migrate", "rollout", "roll out", "office move", "move to the new office", "new office", "implementation", "upgrade all", "replace all", "project plan"}},
	{BillingQuestion, "", 8, []string{"invoice", "invoices", "billing", "overcharged", "charged twice", "our bill", "credit note", "payment terms", "statement of account"}},

	{Software, "installation", 6, []string{"install software", "software install*", "please install", "software update", "application crash*", "app crash*"}},
	{Software, "line-of-business", 6, []string{"quickbooks", "sage", "sap", "salesforce", "autocad", "adobe", "erp", "crm"}},
	{Software, "office", 3, []string{"excel", "word document", "powerpoint", "microsoft teams", "onedrive", "sharepoint", "office 365", "microsoft 365"}},
	{Software, "", 2, []string{"software", "application", "program", "app", "install", "installed", "crash", "crashes", "crashing", "licence", "license"}},
}

// Type is the kind of ticket in ITIL's sense.
type Type string

// The types of a ticket.
const (
	TypeIncident Type = "incident" // something that worked does not
	TypeRequest  Type = "request"  // somebody wants something done or supplied
	TypeQuestion Type = "question" // somebody wants to know
	TypeProblem  Type = "problem"  // incidents that come back: the cause is wanted
)

// The phrases that tell the type, the reach and the haste of a ticket. The first list that matches decides,
// so that 'please help, it is broken' is an incident, and 'not urgent' is not urgent.
var (
	typePhrases = []struct {
		is      Type
		phrases []string
	}{
		{TypeProblem, []string{"root cause", "keeps happening", "keep happening", "happening again", "again and again", "recurring", "third time", "every day since", "happens every"}},
		{TypeIncident, []string{"not working", "doesn t work", "does not work", "stopped working", "broken", "error", "errors", "fail", "fails", "failed", "failing", "failure", "down", "outage", "crash*", "cannot", "can t", "unable", "not receiving", "locked out", "locked", "jam", "slow", "offline", "lost", "hacked", "ransomware", "malware", "phish*", "expired", "forgot*"}},
		{TypeQuestion, []string{"how do i", "how do we", "how can i", "how to", "what is", "what are", "where do i", "where can i", "is it possible", "question", "could you explain", "please explain", "why was", "why were", "why did"}},
		{TypeRequest, []string{"please", "need", "needs", "would like", "request", "requesting", "can you", "could you", "can we", "set up", "setup", "create", "order", "add"}},
	}
	typeOf = map[Category]Type{
		PasswordReset: TypeRequest, Access: TypeRequest, Onboarding: TypeRequest, Offboarding: TypeRequest, Purchase: TypeRequest, Project: TypeRequest,
		BillingQuestion: TypeQuestion,
	}
	// fixedType are the categories that stay requests even where a fault is told: 'the old laptop is broken, order a new one'.
	fixedType = map[Category]bool{Onboarding: true, Offboarding: true, Purchase: true, Project: true}

	impactPhrases = []level{
		{1, []string{"everyone", "everybody", "all users", "all staff", "all employees", "nobody can", "no one can", "whole company", "entire company", "whole office", "entire office", "whole site", "server down", "server is down", "internet is down", "network is down", "company wide", "ransomware"}},
		{2, []string{"team", "department", "several users", "several people", "multiple users", "multiple people", "some users", "many users", "we all", "few of us", "floor", "reception", "warehouse", "shared"}},
	}
	urgencyPhrases = []level{
		{3, []string{"not urgent", "no rush", "no hurry", "low priority", "when you have time", "when you get a chance", "whenever", "at your convenience"}},
		{1, []string{"urgent", "urgently", "asap", "as soon as possible", "immediately", "emergency", "critical", "can t work", "cannot work", "unable to work", "right now", "ransomware", "hacked", "outage", "server is down", "internet is down", "network is down"}},
	}
)

// level is 1 (high) to 3 (low), and what speaks for it.
type level struct {
	is      int
	phrases []string
}
