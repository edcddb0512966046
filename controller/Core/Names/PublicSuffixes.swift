/// Names below which many people register theirs: no customer can own one. The whole list changes daily, and proof of ownership
/// decides in any case. Pure.
package struct PublicSuffixes: Sendable {
    /// The registries' own, and those of the largest hosts of other people's sites.
    package static let builtIn = PublicSuffixes(rules: nil)

    private enum Rule: Sendable { case plain, exception }

    /// By their labels, with `*` for any; nil for the built-in part.
    private let rules: [String: Rule]?

    private init(rules: [String: Rule]?) { self.rules = rules }

    /// - Parameter list: in the form of publicsuffix.org: a rule a line, `//` before comments, `*.` for any label, `!` for what is
    ///   none all the same. Nil for a text that holds no rules.
    package init?(list: String) {
        var rules: [String: Rule] = [:]
        for line in list.split(whereSeparator: \.isNewline) {
            guard let word = line.split(whereSeparator: \.isWhitespace).first, !word.hasPrefix("//") else { continue }
            let isException = word.hasPrefix("!")
            var text = String(isException ? word.dropFirst() : word)
            let isAny = text.hasPrefix("*.")
            if isAny { text.removeFirst(2) }
            guard let name = DomainText.ascii(text) else { continue }
            rules[isAny ? "*.\(name)" : name] = isException ? .exception : .plain
        }
        guard !rules.isEmpty else { return nil }
        self.rules = rules
    }

    /// - Parameter domain: in lower case, as punycode.
    package func contains(_ domain: String) -> Bool {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1 else { return true }
        guard let rules else { return Self.isBuiltIn(domain, labels) }
        switch rules[domain] {
        case .exception: return false
        case .plain: return true
        case nil: return rules["*.\(labels.dropFirst().joined(separator: "."))"] != nil
        }
    }

    private static func isBuiltIn(_ domain: String, _ labels: [Substring]) -> Bool {
        if hosts.contains(domain) { return true }
        return labels.count == 2 && countries[String(labels[1])]?.contains(String(labels[0])) == true
    }

    private static func words(_ text: String) -> Set<String> { Set(text.split(separator: " ").map(String.init)) }

    private static let usual = words("ac co com edu gob gov gv info mil ne net nom or org")
    private static let countries: [String: Set<String>] = {
        var all = Dictionary(
            uniqueKeysWithValues: words(
                """
                ae af ag ai al am ao ar at au az ba bb bd bh bi bm bn bo br bs bt bw by bz cn co cr cu cw cy do dz ec eg er es et \
                fj fk ge gg gh gi gn gr gt gu gy hk hn hr ht hu id il im in iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky \
                kz la lb lc lk lr ls lv ly ma mg mk ml mm mn mo mr ms mt mu mv mw mx my mz na nf ng ni np nr nz om pa pe pf pg ph \
                pk pl pr ps pt py qa ro rs ru rw sa sb sc sd se sg sh sl sn so ss st sv sy sz th tj tm tn to tr tt tw tz ua ug uk \
                uy uz vc ve vi vn vu ws ye za zm zw
                """
            ).map { ($0, usual) })
        all["uk"] = usual.union(words("ltd me nhs plc police sch"))
        all["au"] = usual.union(words("asn id"))
        all["nz"] = usual.union(words("geek gen iwi kiwi maori school"))
        all["jp"] = usual.union(words("ad ed go gr lg"))
        all["br"] = usual.union(words("app art blog dev eco eng ind inf jus leg rec tv wiki"))
        all["pl"] = usual.union(words("biz edu gmina media shop sklep waw"))
        all["at"] = words("ac co gv or")
        all["fr"] = words("asso com gouv nom prd tm")
        all["it"] = words("edu gov")
        all["za"] = usual.union(words("web law school"))
        return all
    }()
    private static let hosts = words(
        """
        blogspot.com cloudfront.net github.io gitlab.io herokuapp.com netlify.app pages.dev vercel.app web.app workers.dev \
        wordpress.com myshopify.com azurewebsites.net firebaseapp.com eu.org us.com uk.com de.com fly.dev onrender.com
        """)
}
