# SPDX-License-Identifier: GPL-2.0
# Read a stream of KTAP, show it in brief, count it.
#
# Several documents may follow each other, each begun by a line "### NAME" and
# ended by "### end STATUS" (tests-guest.sh); a stream without such lines is one
# document. What a test printed is shown when it failed. A missing plan, too few
# or too many results, a non-zero status without a failed test: a failure.
# "passed failed skipped" is written to the file `counts`.

function begin_document(n)
{
	name = n
	plan = -1
	seen = bad = 0
	text = ""
	open = 1
}

function fail(what)
{
	print "not ok - " name (name == "" ? "" : ": ") what
	failed++
	bad = 1
}

function end_document(status)
{
	if (!open)
		return
	open = 0
	if (plan < 0 || plan != seen || (status + 0 && !bad)) {
		if (text != "")
			printf "%s", text
		if (plan < 0)
			fail("no plan (exit status " status ")")
		else if (plan != seen)
			fail("planned " plan " tests, saw " seen " (exit status " status ")")
		else
			fail("exit status " status)
	}
}

BEGIN { begin_document("") }

/^### end / { end_document($3); next }
/^### / {
	if (seen || plan >= 0 || name != "")
		end_document("unknown")
	begin_document(substr($0, 5))
	print "# " name
	next
}
/^(TAP|KTAP) version / { next }
/^1\.\.[0-9]+/ {
	plan = substr($1, 4) + 0
	if (plan == 0) {
		print "ok - " name " # SKIP " substr($0, index($0, "SKIP") + 5)
		skipped++
	}
	next
}
/^not ok / {
	printf "%s", text
	print
	text = ""
	seen++
	failed++
	bad = 1
	next
}
/^ok / {
	print
	text = ""
	seen++
	if (toupper($0) ~ /# *SKIP/)
		skipped++
	else
		passed++
	next
}
{ text = text $0 "\n" }

END {
	end_document("unknown")
	print passed + 0, failed + 0, skipped + 0 >counts
}
