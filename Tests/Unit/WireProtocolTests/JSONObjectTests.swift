import Testing
import WireProtocol

@Suite struct `JSON objects` {
    @Test(arguments: [3, 16, 17, 40])
    func `members keep their order through changes and removals`(count: Int) {
        var object = JSONObject((0..<count).map { ("k\($0)", JSONValue.integer(Int64($0))) })
        object["k1"] = "changed"
        object["k0"] = nil
        object["new"] = true
        object["absent"] = nil
        #expect(object.keys == (1..<count).map { "k\($0)" } + ["new"])
        #expect(object["k1"] == "changed")
        #expect(object["k\(count - 1)"] == (count == 2 ? "changed" : .integer(Int64(count - 1))))
        #expect(object["k0"] == nil)
        #expect(object["new"] == true)
    }

    @Test func `order does not matter to equality`() {
        let one: JSONObject = ["a": 1, "b": 2]
        let other: JSONObject = ["b": 2, "a": 1]
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one != ["a": 1])
        #expect(one != ["a": 1, "c": 2])
    }

    @Test func `a getter names the member and what is wrong with it`() throws {
        let object: JSONObject = ["n": 1, "s": "x", "list": ["a", 2], "inner": ["deep": [["x": 1]]]]
        func failure(_ body: () throws(FieldError) -> Void) -> String? {
            do throws(FieldError) { try body() } catch { return error.description }
            return nil
        }
        #expect(failure { () throws(FieldError) in _ = try object.string("n") } == "n must be a string")
        #expect(failure { () throws(FieldError) in _ = try object.string("absent") } == "absent is missing")
        #expect(failure { () throws(FieldError) in _ = try object.bool("s") } == "s must be true or false")
        #expect(failure { () throws(FieldError) in _ = try object.strings("list") } == "list[1] must be a string")
        #expect(failure { () throws(FieldError) in _ = try object.integer("n", in: 2...3) } == "n must be from 2 to 3")
        #expect(
            failure { () throws(FieldError) in _ = try object.integer("n", in: 2 ... .max) } == "n must be at least 2")
        let path = failure { () throws(FieldError) in
            try object.nested("inner") { inner throws(FieldError) in
                _ = try inner.list("deep") { element throws(FieldError) in try element.bool("x") }
            }
        }
        #expect(path == "inner.deep[0].x must be true or false")
        #expect(failure { () throws(FieldError) in try object.allowOnly(["n", "s"]) } == "list is not a known key")
        #expect(failure { () throws(FieldError) in try object.allowOnly(["n", "s", "list", "inner"]) } == nil)
    }

    @Test func `an absent optional is nil and a null one is an error`() throws {
        let object: JSONObject = ["x": nil]
        #expect(try object.optionalString("y") == nil)
        #expect(throws: FieldError.self) { try object.optionalString("x") }
    }
}
