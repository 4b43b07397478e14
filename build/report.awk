# Reads trx files and prints: SUITE/TEST lines as "seconds<TAB>outcome<TAB>suite<TAB>test", one for each test result.
# A trx file holds one UnitTestResult element for each result; attributes come in any order.
BEGIN { RS = "<UnitTestResult " }
FNR > 1 {
    head = $0
    sub(/>.*/, "", head)
    suite = FILENAME
    sub(/.*\//, "", suite)
    sub(/\.trx$/, "", suite)
    print seconds(attribute("duration")) "\t" attribute("outcome") "\t" suite "\t" attribute("testName")
}
function attribute(name,   text) {
    if (!match(head, "(^|[ \t\r\n])" name "=\"[^\"]*\"")) return ""
    text = substr(head, RSTART, RLENGTH)
    sub(/^[^"]*"/, "", text)
    sub(/"$/, "", text)
    return text
}
function seconds(duration,   part) {
    if (split(duration, part, ":") != 3) return "0.000"
    return sprintf("%.3f", part[1] * 3600 + part[2] * 60 + part[3])
}
