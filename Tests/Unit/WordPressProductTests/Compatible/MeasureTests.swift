import ControllerCore
import Glibc
import HTTPFetch
import Model
import Store
import TestSupport
import Testing
import WireProtocol

@testable import WordPressProduct

/// What `/metrics` tells of orders, and what the dashboard asks for.
@Suite struct MeasureTests {
    /// The samples of the page by their names, with their labels.
    private static func samples(_ page: String) -> [String: [(labels: [String: String], value: Double)]] {
        var found: [String: [(labels: [String: String], value: Double)]] = [:]
        for line in page.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            let series = line[..<space]
            var labels: [String: String] = [:]
            for pair in series.drop(while: { $0 != "{" }).dropFirst().dropLast().split(separator: ",") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { labels[String(parts[0])] = String(parts[1].dropFirst().dropLast()) }
            }
            found[String(series.prefix { $0 != "{" }), default: []].append((labels, value))
        }
        return found
    }

    private static func page(_ panel: Panel) async throws -> String {
        var request = HTTPRequest("GET", "http://127.0.0.1:\(panel.port)/metrics")
        request.headers["Authorization"] = "Bearer \(panel.key)"
        return String(decoding: try await HTTPClient().send(request).body, as: UTF8.self)
    }

    @Test func `orders that succeed and fail, their steps and the requests are measured`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            panel.stage.cluster.change { $0.away = ["nod_1", "nod_2", "nod_3"] }
            _ = try await panel.post("/create-site", Panel.order.merged(with: ["service_id": "2"]))
            let samples = Self.samples(try await Self.page(panel))
            func value(_ name: String, _ labels: [String: String]) -> Double? {
                samples[name]?.first { sample in labels.allSatisfy { sample.labels[$0.key] == $0.value } }?.value
            }
            let (whole, step) = ("innkeeper_operation_duration_seconds", "innkeeper_operation_step_duration_seconds")
            let made = ["product": "wordpress", "kind": "provision", "outcome": "succeeded"]
            #expect(value("\(whole)_count", made) == 1)
            #expect(value("\(whole)_count", made.merging(["outcome": "failed"]) { $1 }) == 1)
            #expect(value("\(whole)_bucket", made.merging(["le": "+Inf"]) { $1 }) == 1)
            for name in ["place", "guest", "record", "route", "recipe", "page"] {
                let labels = ["product": "wordpress", "kind": "provision", "step": name, "outcome": "done"]
                #expect(value("\(step)_count", labels) == 1, "\(name)")
            }
            // Six attempts at a place, with waits between them that are no time of the step.
            let failed = ["kind": "provision", "step": "place", "outcome": "failed"]
            #expect(value("\(step)_count", failed) == 6)
            let route = ["method": "POST", "route": "/compat/wordpress/create-site"]
            #expect(value("innkeeper_api_request_duration_seconds_count", route) == 2)
            #expect(value("innkeeper_api_requests_total", route.merging(["status": "502"]) { $1 }) == 1)
            let buckets = samples["innkeeper_api_request_duration_seconds_bucket"]?.filter {
                $0.labels["route"] == route["route"]
            }
            let counts = buckets?.map(\.value) ?? []
            #expect(counts == counts.sorted() && counts.last == 2 && buckets?.last?.labels["le"] == "+Inf")
        }
    }

    @Test func `every expression of the dashboard asks for what the page has, by labels that it has`() async throws {
        let dashboard = try JSONParser.parse(Self.file("packaging/grafana/innkeeper.json"), limits: .local)
        var expressions: [String] = []
        for panel in dashboard["panels"]?.asArray ?? [] {
            let targets = panel["targets"]?.asArray ?? []
            #expect(!targets.isEmpty && panel["title"]?.asString?.isEmpty == false)
            expressions += targets.compactMap { $0["expr"]?.asString }
        }
        expressions += (dashboard["templating"]?["list"]?.asArray ?? []).compactMap { $0["query"]?.asString }
            .filter { $0.contains("innkeeper_") }
        #expect(expressions.count > 15)
        let asked = expressions
        try await Panel.with { panel in
            try await panel.site()
            _ = try await Self.page(panel)
            let page = try await Self.page(panel)
            let samples = Self.samples(page)
            for expression in asked {
                for use in Self.uses(in: expression) {
                    let labels = samples[use.name]?.first.map { Set($0.labels.keys) } ?? []
                    // What has no sample yet has its line all the same.
                    #expect(
                        samples[use.name] != nil || page.contains("# TYPE \(use.name) "), "\(use.name) in \(expression)"
                    )
                    if !labels.isEmpty { #expect(use.labels.isSubset(of: labels), "\(use.labels) in \(expression)") }
                }
            }
        }
    }

    private static func file(_ path: String) throws -> [UInt8] {
        guard let stream = fopen("\(Checkout.root)/\(path)", "r") else { throw SetupFailure("\(path) is not there") }
        defer { fclose(stream) }
        var (bytes, piece) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while case let count = fread(&piece, 1, piece.count, stream), count > 0 { bytes += piece.prefix(count) }
        return bytes
    }

    private struct Use {
        var name: String
        var labels: Set<String>
    }

    /// The metrics in an expression of PromQL, with the labels that stand behind them in braces.
    private static func uses(in expression: String) -> [Use] {
        var (uses, rest) = ([Use](), expression[...])
        while let start = rest.firstRange(of: "innkeeper_")?.lowerBound {
            let name = rest[start...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            rest = rest[name.endIndex...]
            var labels: Set<String> = []
            if rest.first == "{" {
                let inner = rest.dropFirst().prefix { $0 != "}" }
                for pair in inner.split(separator: ",") {
                    labels.insert(String(pair.prefix { $0.isLetter || $0 == "_" }))
                }
                rest = rest[inner.endIndex...]
            } else if rest.hasPrefix(", ") {
                // `label_values(METRIC, LABEL)`
                labels.insert(String(rest.dropFirst(2).prefix { $0.isLetter || $0 == "_" }))
            }
            uses.append(Use(name: String(name), labels: labels))
        }
        return uses
    }
}
