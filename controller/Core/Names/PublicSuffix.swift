/// Names below which many people register theirs: no customer can own one. The registries' own, and those of the largest hosts of
/// other people's sites; the whole list changes daily, and proof of ownership decides in any case.
package enum PublicSuffix {
    /// - Parameter domain: in lower case, as punycode.
    package static func contains(_ domain: String) -> Bool {
        let labels = domain.split(separator: ".")
        guard labels.count > 1 else { return true }
        guard labels.count == 2 else { return hosts.contains(domain) }
        return hosts.contains(domain) || countries[String(labels[1])]?.contains(String(labels[0])) == true
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
