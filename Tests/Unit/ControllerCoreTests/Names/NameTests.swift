import Store
import Testing

@testable import ControllerCore

@Suite struct NameTests {
    @Test(arguments: [
        ("jane@example.org", "jane"), ("Jane.Doe+shop@example.org", "jane-doe"), ("o'brien@example.org", "o-brien"),
        ("__a__b__@example.org", "a-b"), ("+@example.org", "site"), ("日本@example.org", "site"),
        ("\(String(repeating: "a", count: 60))@example.org", String(repeating: "a", count: 40)),
        ("\(String(repeating: "a", count: 39)).b@example.org", String(repeating: "a", count: 39)),
        ("xn--a@x.org", "xn-a"),
    ])
    func `a label is what stands before the at sign`(email: String, label: String) {
        #expect(Subdomain.label(email: email) == label)
    }

    @Test func `labels that look alike are one`() {
        for pair in [("jo-li", "j0l1"), ("mail", "ma1l"), ("b-o-b", "bob"), ("lili", "1i1i")] {
            #expect(Subdomain.look(of: pair.0) == Subdomain.look(of: pair.1), "\(pair)")
        }
        #expect(Subdomain.look(of: "bob") != Subdomain.look(of: "rob"))
    }

    @Test func `what stands for the provider is not given away, however it is written`() {
        for label in ["www", "mail", "admin", "adm1n", "ma-il", "r00t", "w-w-w", "autodiscover", "ns1"] {
            #expect(Subdomain.isReserved(label), "\(label)")
            #expect(
                Subdomain.candidates(email: "\(label)@example.org", suffixes: ["xy"]).allSatisfy { $0.hasSuffix("-xy") }
            )
        }
        #expect(!Subdomain.isReserved("jane"))
        #expect(Subdomain.candidates(email: "jane@example.org", suffixes: ["ab"]) == ["jane", "jane-ab"])
    }

    @Test(arguments: [
        ("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("münchen.de", "xn--mnchen-3ya.de"), ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"), ("www.example.org", "www.example.org"),
        ("faß.example", "xn--fa-hia.example"),
    ])
    func `letters beyond ASCII become punycode`(text: String, ascii: String) {
        #expect(DomainText.ascii(text) == ascii)
    }

    @Test(arguments: [
        ("www.www.example.org", "example.org"), ("WWW.example.org", "example.org"), ("www.org", "www.org"),
        ("www.www.org", "www.org"), ("wwww.example.org", "wwww.example.org"),
    ])
    func `the normal form of a domain is its own normal form`(text: String, name: String) {
        #expect(DomainRecord.normal(text) == name)
        #expect(DomainRecord.normal(name) == name)
    }

    @Test func `what hides in a name is refused`() {
        #expect(DomainText.ascii("exa\u{202E}mple.org") == nil)
        #expect(DomainText.ascii("a\u{200B}ä.org") == nil)
        #expect(DomainText.ascii(String(repeating: "ä", count: 300)) == nil)
    }

    @Test(arguments: [
        ("xn--bcher-kva.example", "bücher.example"), ("xn--r8jz45g.xn--zckzah", "例え.テスト"),
        ("xn--e1afmkfd.xn--80akhbyknj4f", "пример.испытание"), ("example.org", "example.org"),
        // What is no punycode, or stands for what has no place in a name.
        ("xn--a.example", "xn--a.example"), ("xn--99999999.example", "xn--99999999.example"),
        ("xn--.example", "xn--.example"),
    ])
    func `punycode is read as people write it, and what hides something stays`(ascii: String, text: String) {
        #expect(DomainText.unicode(ascii) == text)
    }

    @Test func `nobody owns what many register below`() {
        for suffix in ["org", "co.uk", "com.au", "github.io", "co.jp", "gv.at"] {
            #expect(PublicSuffixes.builtIn.contains(suffix), "\(suffix)")
        }
        for domain in ["example.org", "example.co.uk", "jane.github.io", "co.example"] {
            #expect(!PublicSuffixes.builtIn.contains(domain), "\(domain)")
        }
    }

    @Test func `a list has rules for any label, and exceptions from them`() throws {
        let list = try #require(
            PublicSuffixes(
                list: """
                    // ===BEGIN ICANN DOMAINS===
                    org
                    co.uk  and what stands behind a rule
                    *.ck
                    !www.ck
                    公司.cn
                    // ===BEGIN PRIVATE DOMAINS===
                    *.compute.example.com
                    host.example
                    """))
        for suffix in [
            "org", "anything", "co.uk", "ck", "foo.ck", "xn--55qx5d.cn", "eu.compute.example.com", "host.example",
        ] {
            #expect(list.contains(suffix), "\(suffix)")
        }
        for domain in [
            "example.org", "www.ck", "a.foo.ck", "example.co.uk", "compute.example.com", "a.eu.compute.example.com",
            "jane.host.example", "uk.co",
        ] {
            #expect(!list.contains(domain), "\(domain)")
        }
        #expect(PublicSuffixes(list: "// nothing\n\n") == nil)
    }
}
