import APIModels
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol

@testable import API

/// Words of callers that others read: on a terminal, in a list, in the audit log.
@Suite struct FreeTextTests {
    private static let invisible = [
        "\u{202E}", "\u{2066}", "\u{200B}", "\u{2028}", "\u{85}", "\u{1B}", "\u{7F}", "\u{E0041}",
    ]

    @Test(arguments: invisible)
    func `words that do not show as what they are change nothing, and the field is named`(_ hidden: String) async throws
    {
        let house = try await House()
        try await house.addNode()
        let id = try #require(try await house.addService("bill:1").service?.id)
        let operation = try #require(try await house.store.operations().items.first?.id)
        let audited = try await house.store.auditLog().items.count
        let word = JSONValue.string("a\(hidden)b").text
        let asked = [
            ("/api/v1/services/\(id)/suspend", #"{"reason":\#(word)}"#, "reason"),
            ("/api/v1/services/\(id)/terminate", #"{"reason":\#(word)}"#, "reason"),
            ("/api/v1/nodes/alpha/revoke", #"{"reason":\#(word)}"#, "reason"),
            ("/api/v1/operations/\(operation)/resolve", #"{"note":\#(word)}"#, "note"),
            ("/api/v1/findings/fnd_1/acknowledge", #"{"note":\#(word)}"#, "note"),
            ("/api/v1/findings/fnd_1/resolve", #"{"note":\#(word)}"#, "note"),
            ("/api/v1/keys", #"{"name":\#(word),"scopes":["read"]}"#, "name"),
            (
                "/api/v1/nodes/alpha/commands", #"{"operation":"docker.container.start","resource":\#(word)}"#,
                "resource"
            ),
            ("/api/v1/services", #"{"customer":\#(word),"plan":"small"}"#, "customer"),
            ("/api/v1/services", #"{"customer":"c","plan":"small","external_id":\#(word)}"#, "external_id"),
            ("/api/v1/services", #"{"customer":"c","plan":"small","labels":{"l":\#(word)}}"#, "labels.l"),
            ("/api/v1/tokens", #"{"labels":{"l":\#(word)}}"#, "labels.l"),
            ("/api/v1/plans", #"{"name":\#(word),"spec":\#(House.plan)}"#, "name"),
        ]
        for (path, body, field) in asked {
            let reply = try await house.ask(.post, path, body)
            #expect(reply.status == 400, "\(path)")
            #expect(try reply.problem.field == field, "\(path)")
        }
        let labels = try await house.ask(.patch, "/api/v1/nodes/alpha/labels", #"{"labels":{"l":\#(word)}}"#)
        #expect(labels.status == 400)
        #expect(try labels.problem.field == "labels.l")
        #expect(try await house.store.auditLog().items.count == audited)
    }

    @Test func `the document's pattern shuts out just what does not show`() throws {
        let line = try pattern(of: FreeText(length: 0...1))
        let lines = try pattern(of: FreeText(length: 0...1, hasLines: true))
        let planes: [ClosedRange<UInt32>] = [0...0xFFFF, 0x11000...0x13FFF, 0x1BC00...0x1D2FF, 0xE0000...0xE01FF]
        for scalar in planes.joined().compactMap({ Unicode.Scalar($0) }) {
            let (text, shows) = (String(scalar), VisibleText.isVisible(scalar))
            if (text.wholeMatch(of: line) != nil) != shows { Issue.record("U+\(String(scalar.value, radix: 16))") }
            if (text.wholeMatch(of: lines) != nil) != (shows || scalar == "\n") { Issue.record("\(scalar.value)") }
        }
        let elsewhere = (UInt32(0)...0x10FFFF).filter { value in !planes.contains { $0.contains(value) } }
        #expect(elsewhere.allSatisfy { VisibleText.isVisible(Unicode.Scalar($0)!) })
    }

    private func pattern(of text: FreeText) throws -> Regex<AnyRegexOutput> {
        let pattern = try #require(text.schema["pattern"]?.asString)
        // Swift takes a letter and what joins it for one character, also in a class.
        let spelled = pattern.unicodeScalars.map { scalar in
            scalar.value > 0xFFFF ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return try Regex(spelled.joined()).matchingSemantics(.unicodeScalar)
    }

    @Test(arguments: [
        ("Zoë & Søn, 日本語 🙂", 200), (String(repeating: "é", count: 500), 200), (String(repeating: "é", count: 501), 400),
        ("", 200), ("two\nlines", 400),
    ])
    func `a reason is words on one line`(_ reason: String, status: Int) async throws {
        let house = try await House()
        try await house.addNode()
        let body = JSONValue.object(["reason": .string(reason)]).text
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/revoke", body).status == status)
    }
}
