import DriverKit
import HelmDriver
import Processes
import TestSupport
import Testing
import WireProtocol

/// The packaged chart of shops, by Helm's own renderer and the schemas of Kubernetes.
@Suite struct StoreChartTests {
    struct Values: Sendable, CustomTestStringConvertible {
        var name: String
        var values: JSONObject
        var testDescription: String { name }
    }

    private static let shop: JSONObject = ["host": "shoes.example.org", "admin": ["email": "jane@example.org"]]
    private static let medusa: JSONObject = [
        "engine": "medusa", "host": "shoes.example.org",
        "images": ["medusa": ["repository": "registry.example.org/shop/medusa", "tag": "2.8"]],
    ]
    private static let backups: JSONObject = ["backups": ["enabled": true]]

    static let all: [Values] = [
        Values(name: "woocommerce", values: shop), Values(name: "medusa", values: medusa),
        Values(name: "suspended", values: shop.with(["mode": "suspended"])),
        Values(name: "medusa suspended", values: medusa.with(["mode": "suspended"])),
        Values(name: "backup", values: shop.with(backups).with(["task": ["kind": "backup", "id": "20270101-abcd"]])),
        Values(
            name: "backup of a suspended one",
            values: shop.with(backups).with([
                "mode": "maintenance", "task": ["kind": "backup", "id": "20270101-abcd"],
            ])),
        Values(
            name: "backup removed",
            values: shop.with(backups).with([
                "mode": "suspended", "task": ["kind": "remove", "id": "abcd", "from": "20270101-abcd"],
            ])),
        Values(
            name: "medusa restored",
            values: medusa.with(backups).with([
                "mode": "maintenance", "task": ["kind": "restore", "id": "abcd", "from": "20270101-abcd"],
            ])),
        Values(
            name: "everything said",
            values: shop.with(backups).with([
                "tls": ["issuer": "letsencrypt"], "network": ["ingressNamespace": "ingress-nginx"],
                "ingress": ["className": "nginx", "annotations": ["example.org/a": "b"]],
                "storage": ["className": "fast", "accessMode": "ReadWriteMany"], "imagePullSecrets": ["registry"],
                "credentials": ["existing": "store-credentials"],
                "images": ["mariadb": ["digest": .string("sha256:\(String(repeating: "a", count: 64))")]],
            ])),
        Values(
            name: "little said", values: shop.with(["tls": ["enabled": false], "quota": ["enabled": false]])),
    ]

    private func charts(_ words: [String], _ values: JSONObject) async throws -> ProcessOutcome {
        var request = ProcessRequest(
            "\(Checkout.root)/Tests/Support/Charts/charts", words, deadline: .seconds(120), outputLimit: 4 << 20)
        request.standardInput = .bytes(JSONValue.object(values).encoded)
        return try await Child.run(request)
    }

    private func objects(_ values: JSONObject) async throws -> [JSONValue] {
        let outcome = try await charts(["objects", Self.chart, "shoes", "store-shoes"], values)
        try #require(outcome.succeeded, "\(outcome.errorText)")
        return try JSONParser.parse(outcome.stdout[...], limits: .local).asArray ?? []
    }

    static let chart = "\(Checkout.root)/packaging/charts/store"

    @Test(arguments: all) func `it lints, and Kubernetes takes what it makes`(_ values: Values) async throws {
        for words in [["lint", Self.chart], ["check", Self.chart, "shoes", "store-shoes"]] {
            let outcome = try await charts(words, values.values)
            #expect(outcome.succeeded, "\(words[0]): \(outcome.outputText) \(outcome.errorText)")
        }
    }

    @Test(arguments: all) func `an agent whose owner has said nothing takes it`(_ values: Values) async throws {
        let node = try await KubernetesNode()
        let outcome = try await node.perform(
            "install", ["chart": .string(Self.chart), "values": .object(values.values), "wait": false])
        #expect(outcome.observed["status"] == "deployed")
    }

    @Test(arguments: all) func `no container is root, can become it, or writes to its image`(_ values: Values)
        async throws
    {
        let pods = try await objects(values.values).compactMap { $0["spec"]?["template"]?["spec"] }
        #expect(!pods.isEmpty)
        for pod in pods {
            #expect(pod["securityContext"]?["runAsNonRoot"] == true && pod["automountServiceAccountToken"] == false)
            #expect(pod["securityContext"]?["seccompProfile"]?["type"] == "RuntimeDefault")
            for container in pod["containers"]?.asArray ?? [] {
                let context = container["securityContext"]
                #expect(context?["readOnlyRootFilesystem"] == true && context?["allowPrivilegeEscalation"] == false)
                #expect(context?["capabilities"]?["drop"] == ["ALL"])
                #expect(container["resources"]?["limits"]?["memory"] != nil)
            }
        }
    }

    @Test func `what may be reached, and by whom, is said for every pod`() async throws {
        let policies = try await objects(Self.shop).filter { $0["kind"] == "NetworkPolicy" }
        let all = policies.first { $0["metadata"]?["name"] == "nothing" }
        #expect(all?["spec"]?["podSelector"] == [:] && all?["spec"]?["policyTypes"] == ["Ingress", "Egress"])
        #expect(policies.count == 6)
    }

    @Test func `suspended, nothing runs and everything is kept`() async throws {
        let made = try await objects(Self.medusa.with(["mode": "suspended"]))
        let counts = made.compactMap { $0["spec"]?["replicas"]?.asInteger }
        #expect(counts == [0, 0, 0] && !made.contains { $0["kind"] == "Job" })
        let kept = made.filter { $0["kind"] == "PersistentVolumeClaim" || $0["kind"] == "Secret" }
        #expect(kept.count == 2)
        #expect(kept.allSatisfy { $0["metadata"]?["annotations"]?["helm.sh/resource-policy"] == "keep" })
        // The ingress has a service behind it that has no pods: 503.
        #expect(made.contains { $0["kind"] == "Ingress" } && made.contains { $0["metadata"]?["name"] == "web" })
    }

    @Test func `another version, or another attempt, is another job`() async throws {
        func job(_ more: JSONObject) async throws -> String? {
            try await objects(Self.shop.with(more)).first { $0["kind"] == "Job" }?["metadata"]?["name"]?.asString
        }
        let first = try await job([:])
        let names = [
            first, try await job(["woocommerce": ["version": "9.9.5"]]), try await job(["setup": ["attempt": "2"]]),
            try await job(["images": ["wordpressCli": ["tag": "cli-2.13-php8.3"]]]),
        ]
        #expect(Set(names).count == 4 && first?.hasPrefix("setup-") == true)
        // What the shop may have besides is none of its affair.
        #expect(try await job(["quota": ["pods": 20]]) == first)
    }

    @Test(
        arguments: [
            (["host": ""], "host"), (["host": "Shoes.example.org"], "host"), (["engine": "magento"], "engine"),
            (["admin": ["email": ""]], "email"), (["engine": "medusa"], "medusa"), (["colour": "red"], "colour"),
            (["task": ["kind": "backup", "id": "x"]], "enabled"),
            (["backups": ["enabled": true], "task": ["kind": "remove", "id": "x"]], "from"),
            (["title": "a\nb"], "title"),
            (["resources": ["web": ["limits": ["memory": "much"]]]], "memory"),
            (["images": ["mariadb": ["digest": "sha256:1"]]], "digest"),
        ] as [(JSONObject, String)])
    func `wrong values are refused, and the field is named`(_ values: JSONObject, _ field: String) async throws {
        let outcome = try await charts(["render", Self.chart, "shoes", "store-shoes"], Self.shop.with(values))
        #expect(!outcome.succeeded && outcome.errorText.contains(field), "\(outcome.errorText)")
    }
}

extension JSONObject {
    /// As Helm lays values over others.
    fileprivate func with(_ other: JSONObject) -> JSONObject {
        var result = self
        for member in other.members {
            if let below = result[member.key]?.asObject, let above = member.value.asObject {
                result[member.key] = .object(below.with(above))
            } else {
                result[member.key] = member.value
            }
        }
        return result
    }
}
