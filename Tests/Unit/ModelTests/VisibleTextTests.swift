import Model
import Testing

@Suite struct VisibleTextTests {
    @Test(arguments: ["", "a b", "Zoë & Søn", "日本語", "a\u{301}", "🙂"])
    func `names of people are visible`(_ text: String) { #expect(VisibleText.isVisible(text)) }

    @Test(arguments: [
        "a\u{202E}b", "a\u{2066}b", "a\u{200B}b", "a\u{200F}b", "a\u{2028}b", "a\nb", "\u{1B}[2J", "a\u{85}b",
        "\u{FEFF}a",
        "a\u{7F}",
    ])
    func `what steers, hides or turns letters around is not`(_ text: String) { #expect(!VisibleText.isVisible(text)) }
}
