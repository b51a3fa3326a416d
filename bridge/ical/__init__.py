"""iCalendar as text that stays what it was: parse, compare, merge, look up times, build.

Everything here is pure: no SQL, no HTTP, no clock, no files. The original text is the truth; every
module works on ``text.Component`` trees whose untouched lines serialise to the very same bytes.

text         lines and components, byte for byte
moments      moments and lengths of time as comparable strings
values       when two property values mean the same
fields       field groups: what counts as a change, and the fingerprint
definitions  when two VTIMEZONEs say the same
words        groups and their values in words for people
transfer     moving lines, components and their zones from one text to another
merge        three-way by field group, each side against its own base
marker       our machine field on objects that we write at a provider
check        what a client may PUT (RFC 4791 4.1)
facts        what the store keeps in columns
zones, occurrences, build   time
"""
