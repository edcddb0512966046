/// A label below a domain of ours, made from a customer's e-mail address. Pure.
package enum Subdomain {
    /// Labels are no longer, so that a suffix finds room in the 63 that DNS gives.
    package static let longest = 40

    /// What stands before the `@`, without what stands behind a `+`, in letters, digits and single hyphens; `site` where nothing
    /// is left of it.
    package static func label(email: String) -> String {
        let local = email.prefix { $0 != "@" }.prefix { $0 != "+" }
        var label: [UInt8] = []
        for byte in local.lowercased().utf8 {
            if isLetter(byte) || isDigit(byte) {
                label.append(byte)
            } else if label.last != hyphen, !label.isEmpty {
                label.append(hyphen)
            }
        }
        label = Array(label.prefix(longest))
        while label.last == hyphen { label.removeLast() }
        return label.isEmpty ? "site" : String(decoding: label, as: UTF8.self)
    }

    /// What people take it for: hyphens are dropped, 0 is o, 1 and i are l. Two labels that look alike are one.
    package static func look(of label: String) -> String {
        let bytes = label.lowercased().utf8.compactMap { byte -> UInt8? in
            switch byte {
            case hyphen: nil
            case UInt8(ascii: "0"): UInt8(ascii: "o")
            case UInt8(ascii: "1"), UInt8(ascii: "i"): UInt8(ascii: "l")
            default: byte
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether it stands for the provider, or for what programs look for under such a name.
    package static func isReserved(_ label: String) -> Bool { reservedLooks.contains(look(of: label)) }

    /// Labels to try, the plain one first unless it is reserved; the others with a suffix.
    package static func candidates(email: String, suffixes: [String]) -> [String] {
        let plain = label(email: email)
        return (isReserved(plain) ? [] : [plain]) + suffixes.map { "\(plain)-\($0)" }
    }

    private static let reservedLooks = Set(
        """
        abuse account accounts admin administrator api app apps assets autoconfig autodiscover backup billing blog bounce cdn chat
        cloud cpanel client clients console contact control controller customer customers dashboard db default demo dev dns docs
        email example forum ftp gateway git help host hosting hostmaster id imap info innkeeper intern internal invoice ipv4
        ipv6 kb ldap local localhost login mail mailer mariadb master media monitor mx mysql news ns ns1 ns2 ns3 ns4 ntp
        office operator origin owner panel pay payment phpmyadmin pma pop pop3 portal postmaster private prod production proxy
        public register relay root router sales secure security server shop sftp signin signup site sites smtp sql ssh ssl
        stage staging static stats status storage store support sysadmin system test tls update uploads user users vpn
        webdisk webmail webmaster whm wiki wordpress wpad www www1 www2 wwww
        """.split { $0 == " " || $0 == "\n" }.map { look(of: String($0)) })

    private static let hyphen = UInt8(ascii: "-")
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
