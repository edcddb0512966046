import Model
import Testing
import WireProtocol

@testable import ControllerCore
@testable import SiteProduct

@Suite struct SiteSpecTests {
    static let good: [JSONObject] = [
        [:], ["type": "php", "php_version": "8.3", "template": "WordPress"],
        ["type": "nodejs", "nodejs_version": "22", "app_port": 3000], ["type": "python", "python_version": "3.11"],
        ["type": "reverse_proxy", "proxy_url": "http://127.0.0.1:8080"],
        [
            "domain": "Exämple.ORG", "user": "user_example", "adopt": "same_user", "analytics": "matomo",
            "databases": 3, "domains": 2, "certificate": false, "addresses": ["192.0.2.1", "2001:db8::1"],
            "backups": ["retention": 3, "schedule": "daily"],
            "placement": ["strategy": "pack", "labels": ["zone": "a"]], "labels": ["team": "web"],
        ],
    ]

    @Test(arguments: good) func `what is read reads back as itself`(fields: JSONObject) throws {
        let spec = try CloudSiteSpec(json: fields)
        #expect(try CloudSiteSpec(json: spec.json) == spec)
        // The schema lets it pass.
        let plan = try CloudSite.specification.plan(fields, "spec")
        #expect(plan == spec.json)
    }

    static let bad: [(JSONObject, String)] = [
        (["type": "perl"], "spec.type"), (["type": "php"], "spec.php_version"),
        (["type": "php", "php_version": "8"], "spec.php_version"),
        (["type": "php", "php_version": "8.3", "template": "../x"], "spec.template"),
        (["type": "static", "php_version": "8.3"], "spec.php_version"),
        (["type": "reverse_proxy", "proxy_url": "http://a;b:1"], "spec.proxy_url"),
        (["type": "nodejs", "nodejs_version": "22", "app_port": 80], "spec.app_port"),
        (["domain": "localhost"], "spec.domain"), (["domain": "a b.org"], "spec.domain"),
        (["user": "1abc"], "spec.user"), (["user": "a;b"], "spec.user"), (["user": "rm -rf"], "spec.user"),
        (["adopt": "all"], "spec.adopt"), (["databases": -1], "spec.databases"),
        (["backups": ["schedule": "daily"]], "spec.backups.schedule"), (["addresses": ["x"]], "spec.addresses[0]"),
        (["colour": "red"], "spec.colour"),
    ]

    @Test(arguments: bad) func `what cannot be is refused with its field`(fields: JSONObject, field: String) {
        do throws(CoreError) {
            _ = try CloudSiteSpec(json: fields)
            Issue.record("\(fields) was taken")
        } catch {
            guard case .invalid(let named, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(named == field)
        }
    }

    @Test func `a site can become another plan's of its type alone`() throws {
        let php: JSONObject = ["type": "php", "php_version": "8.2", "databases": 1, "domain": "example.org"]
        let own = try CloudSiteSpec(json: php)
        let more: JSONObject = ["type": "php", "php_version": "8.3", "databases": 5]
        let grown = try own.grown(from: php, to: more, overrides: ["domains": 4])
        #expect(grown.sort.phpVersion == "8.3" && grown.databases == 5 && grown.domains == 4)
        #expect(grown.domain == "example.org")
        #expect(throws: CoreError.self) { try own.grown(from: php, to: ["type": "static"], overrides: [:]) }
    }

    @Test(
        arguments: [
            ("example.com", "user_examplecom"), ("a-b.c-d.example", "user_abcdexample"),
            ("averyveryverylongdomainname.example.org", "user_averyveryverylongdomainname"),
        ])
    func `accounts are called as the seed calls them`(domain: String, user: String) {
        #expect(SiteUser.plain(domain) == user)
        let all = SiteUser.candidates(domain, suffixes: ["abcd"])
        #expect(all.count == 2 && all[1].hasSuffix("abcd") && all[1].utf8.count <= 32)
        #expect(all.allSatisfy(Grammar.siteUser.accepts))
    }

    @Test func `the authority is asked never more than three times in an hour, and soon once a day`() {
        var (time, times) = (Duration.zero, [Duration]())
        for tries in 1...30 {
            time += Pauses.certificate(Int64(tries))
            times.append(time)
        }
        for start in times { #expect(times.filter { $0 >= start && $0 < start + .seconds(3600) }.count <= 3) }
        #expect(Pauses.certificate(30) == .seconds(86_400) && Pauses.certificate(0) == .seconds(600))
    }
}
