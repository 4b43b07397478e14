# Reads trx files and prints what every failed test said: its name, its message and its stack trace.
# A trx file holds one UnitTestResult element for each result; ErrorInfo in it has Message and StackTrace.
BEGIN { RS = "<UnitTestResult " }
FNR > 1 && /^[^>]*outcome="(Failed|Error|Timeout|Aborted)"/ {
    name = $0
    sub(/^[^>]*testName="/, "", name)
    sub(/".*/, "", name)
    print plain(name)
    print indented(element("Message"))
    print indented(element("StackTrace"))
}
function element(tag,   text, from) {
    text = $0
    if (!(from = index(text, "<" tag ">"))) return ""
    text = substr(text, from + length(tag) + 2)
    return plain(substr(text, 1, index(text, "</" tag ">") - 1))
}
function indented(text) {
    gsub(/\r/, "", text)
    gsub(/\n/, "\n  ", text)
    return "  " text
}
function plain(text) {
    gsub(/&quot;/, "\"", text)
    gsub(/&apos;/, "'", text)
    gsub(/&lt;/, "<", text)
    gsub(/&gt;/, ">", text)
    gsub(/&#xD;/, "", text)
    gsub(/&amp;/, "\\&", text)
    return text
}
