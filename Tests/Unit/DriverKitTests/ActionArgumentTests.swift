import DriverKit
import Model
import Testing
import WireProtocol

@Suite struct `What an action takes` {
    private static let spec = ActionSpec("thing.ensure", .mutate, summary: "makes a thing").taking(
        [
            .text("name", .snapshotName, "which one"),
            .integer("size", 1...10, "how large").or(3),
            .flag("force", "in any case"),
            .choice("mode", ["on", "off", "7"], "how").optional,
            Argument("share", .number(0...1.5), "of the whole").optional,
            .list(
                "parts", of: .record([.text("path", .absolutePath, "where"), .flag("hidden", "unseen")]), 0...2,
                "its parts"
            ).optional,
            .map("labels", TextForm("a short word") { $0.count < 4 }, of: .text(.free(5)), "more").optional,
            Argument("values", .any, "anything").optional,
        ],
        secrets: [.text("key", .identifier, "the key"), .map("values", .any, of: .any, "more").optional])

    private func read(_ arguments: JSONObject, _ secrets: JSONObject = ["key": "k1"]) throws(DriverError) -> ActionCall
    {
        try Self.spec.reading(
            ActionCall(action: "thing.ensure", resource: "thing/a", arguments: arguments, secrets: secrets))
    }

    @Test func `what is left out has its default, and null is left out`() throws {
        let call = try read(["name": "a", "mode": nil, "parts": [["path": "/a"]]])
        #expect(
            call.arguments == ["name": "a", "size": 3, "force": false, "parts": [["path": "/a", "hidden": false]]])
        #expect(call.resource == "thing/a" && call.secrets == ["key": "k1"])
    }

    @Test func `a word is what its argument wants: a number, true or false, or text that looks like one`() throws {
        let call = try read(["name": "2026", "size": "10", "force": "true", "mode": true, "share": "0.5"])
        #expect(
            call.arguments == ["name": "2026", "size": 10, "force": true, "mode": "on", "share": 0.5])
        #expect(try read(["name": "a", "mode": 7]).arguments["mode"] == "7")
    }

    @Test(
        arguments: [
            ([:], "argument name is missing"),
            (["name": 1], "argument name must be a string"),
            (["name": "-rf"], "argument name is no snapshot name: \"-rf\" must be"),
            (["name": "a", "size": 11], "argument size must be a whole number from 1 to 10"),
            (["name": "a", "size": "ten"], "argument size must be a whole number from 1 to 10"),
            (["name": "a", "size": "[1]"], "argument size must be"),
            (["name": "a", "size": 1.5], "argument size must be"),
            (["name": "a", "force": "yes"], "argument force must be true or false"),
            (["name": "a", "mode": "up"], "argument mode must be one of on, off, 7"),
            (["name": "a", "share": 2], "argument share must be a number from 0 to 1.5"),
            (["name": "a", "parts": #"[{"path":"/"}]"#], "argument parts must be a list of 0 to 2 values"),
            (["name": "a", "parts": [["path": "/a"], ["path": "b"]]], "argument parts[1].path is no path"),
            (["name": "a", "parts": [["path": "/a", "at": 1]]], "argument parts[0].at is not an argument"),
            (["name": "a", "parts": [[:], [:], [:]]], "argument parts must be a list of 0 to 2 values"),
            (["name": "a", "labels": ["long": "x"]], "argument labels.long is not a short word"),
            (["name": "a", "labels": ["k": "123456"]], "argument labels.k must be text of at most 5 bytes"),
            (["name": "a", "sise": 1], "argument sise is not an argument of this action"),
        ] as [(JSONObject, String)])
    func `anything else is refused by name`(arguments: JSONObject, message: String) {
        let error = #expect(throws: DriverError.self) { try read(arguments) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    @Test func `a secret has its place, and is never quoted`() throws {
        let misplaced = #expect(throws: DriverError.self) { try read(["name": "a", "key": "hunter2"]) }
        #expect(misplaced?.message == "argument key is a secret: it belongs among the secrets of the call")
        let wrong = #expect(throws: DriverError.self) { try read(["name": "a"], ["key": "-hunter2"]) }
        #expect(wrong?.message.hasPrefix("argument secrets.key must be ") == true)
        #expect(wrong?.message.contains("hunter2") == false)
        let missing = #expect(throws: DriverError.self) { try read(["name": "a"], [:]) }
        #expect(missing?.message == "argument secrets.key is missing")
        let unknown = #expect(throws: DriverError.self) { try read(["name": "a"], ["key": "k", "pin": "hunter2"]) }
        #expect(unknown?.message == "argument secrets.pin is not an argument of this action")
        // What may stand in either place is no secret among the arguments.
        #expect(try read(["name": "a", "values": ["a": 1]]).arguments["values"] == ["a": 1])
    }

    @Test func `an action that does not say what it takes gets everything as it comes`() throws {
        let call = ActionCall(action: "thing.look", resource: "thing", arguments: ["x": "1"])
        #expect(try ActionSpec("thing.look", .observe, summary: "looks").reading(call) == call)
    }

    @Test func `the schema says it all to those who ask from afar`() throws {
        let schema = try #require(Self.spec.arguments?.schema)
        #expect(schema["type"] == "object" && schema["additionalProperties"] == false)
        #expect(schema["required"] == ["name"])
        let fields = schema["properties"]
        #expect(fields?["name"]?["type"] == "string" && fields?["name"]?["format"] == "snapshot name")
        #expect(fields?["name"]?["description"]?.asString?.hasPrefix("which one: 1 to 54 letters") == true)
        #expect(
            fields?["size"]
                == ["type": "integer", "minimum": 1, "maximum": 10, "description": "how large", "default": 3])
        #expect(fields?["mode"]?["enum"] == ["on", "off", "7"] && fields?["force"]?["default"] == false)
        #expect(fields?["parts"]?["items"]?["required"] == ["path"] && fields?["parts"]?["maxItems"] == 2)
        #expect(fields?["labels"]?["propertyNames"]?["description"] == "a short word")
        #expect(fields?["values"] == ["description": "anything"])
        #expect(Self.spec.secrets.schema["required"] == ["key"])
    }

    @Test func `a table takes what is said of its actions by their names`() {
        let row = Action<Int>(ActionSpec("thing.look", .observe, summary: "looks")) {
            _, _, _ throws(DriverError) in ActionOutcome(changed: false)
        }
        let table = [row].taking(["thing.look": [.flag("all", "all of them")]], secrets: ["thing.look": []])
        #expect(table.first?.spec.arguments?.map(\.name) == ["all"])
        #expect([row].taking([:]).first?.spec.arguments == nil)
    }
}
