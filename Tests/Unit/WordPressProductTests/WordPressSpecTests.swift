import Glibc
import Placement
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore
@testable import WordPressProduct

@Suite struct WordPressSpecTests {
    @Test func `what was read reads back as itself`() throws {
        let plan = SiteStage.plan().merged(with: [
            "ha": "on", "email": "jane@example.org", "title": "Jane's", "labels": ["tier": "gold"],
            "setup": ["proxies": ["192.0.2.0/28"], "upload_mib": 128],
        ])
        let spec = try WordPressSpec(json: plan)
        #expect(try WordPressSpec(json: spec.json) == spec)
        #expect(spec.features == .init(nesting: true, keyctl: false, fuse: false) && spec.snapshot == "initial")
        #expect(spec.demand.template == "local:vztmpl/debian-12.tar.zst" && spec.demand.resources.cpuMillis == 1000)
    }

    @Test func `a customer's own key says neither where the name leads nor where the site lies`() throws {
        for (field, value) in [("addresses", ["203.0.113.9"]), ("placement", ["labels": ["rack": "a"]])]
            as [(String, JSONValue)]
        {
            let wanted: JSONObject = [field: value]
            _ = try WordPress.specification.order(
                SiteStage.plan(), overrides: wanted, labels: [:], isCustomers: false)
            #expect(throws: CoreError.invalid(field: "overrides.\(field)", problem: "is the provider's to say")) {
                try WordPress.specification.order(
                    SiteStage.plan(), overrides: wanted, labels: [:], isCustomers: true)
            }
        }
    }

    @Test(
        arguments: [
            ("memory_bytes", .integer((1 << 30) + 1), "whole MiB"),
            ("disk_bytes", .integer((1 << 32) + 1), "whole GiB"),
            ("template", "debian", "storage:vztmpl/file"), ("template", "local:vztmpl/../x", "storage:vztmpl/file"),
            ("zone", "Sites", "labels"), ("addresses", ["x"], "an IP address"), ("ha", "maybe", "one of auto, on, off"),
            ("email", "a@b@c", "an e-mail address"), ("email", "a b@example.org", "an e-mail address"),
            ("snapshot", "current", "not current"), ("title", "a\nb", "one line"),
            ("backups", ["retention": 2], "backups.storage"), ("backups", ["schedule": "daily"], "none where"),
            ("setup", ["archive": "https://example.org/w.tar.gz"], "archive_sha256"), ("colour", "red", "colour"),
            ("storage", "a b", "the name of a storage"), ("network", "A", "plan name"),
        ] as [(String, JSONValue, String)])
    func `what is wrong is named`(field: String, value: JSONValue, words: String) {
        var plan = SiteStage.plan()
        plan[field] = value
        let error = #expect(throws: CoreError.self) { try WordPressSpec(json: plan) }
        let text = "\(error.map { "\($0)" } ?? "")"
        #expect(text.contains(words) || text.contains(field), "\(text)")
        #expect(text.contains("spec.\(field)"), "\(text)")
    }

    @Test func `what a plan's file in the catalogue says can be sold`() throws {
        for name in ["basic", "standard", "premium"] {
            let bytes = try content(of: "packaging/catalog/wordpress-\(name).json")
            let file = try #require(try JSONParser.parse(bytes).asObject)
            #expect(file["name"] == .string(name) && file["product"] == "wordpress")
            let json = try file.object("spec")
            let spec = try WordPressSpec(json: try WordPress.specification.plan(json, "spec"))
            let gibi = spec.memoryBytes >> 30
            #expect(["basic": 2, "standard": 4, "premium": 8][name] == gibi && spec.diskBytes >> 30 == gibi * 10)
            #expect(["basic": 1, "standard": 2, "premium": 4][name] == spec.cores)
            #expect(["basic": 1, "standard": 2, "premium": 3][name] == spec.domains)
            #expect(["basic": 1, "standard": 3, "premium": 7][name] == spec.backups.retention)
        }
    }

    private func content(of path: String) throws -> [UInt8] {
        let file = try #require(fopen("\(Checkout.root)/\(path)", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }
}
