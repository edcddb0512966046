import DriverKit
import Testing
import WireProtocol

@Suite struct ArgumentReaderTests {
    @Test func `arguments are taken by name and type`() throws {
        var reader = ArgumentReader([
            "name": "a", "size": 10, "force": true, "list": ["x", "y"], "map": ["k": 1], "parts": [["a": 1]],
            "absent": nil,
        ])
        #expect(try reader.string("name") == "a")
        #expect(try reader.integer("size") == 10)
        #expect(try reader.bool("force"))
        #expect(try reader.strings("list") == ["x", "y"])
        #expect(try reader.object("map") == ["k": 1])
        #expect(try reader.objects("parts") == [["a": 1]])
        #expect(try reader.optionalString("absent") == nil)
        #expect(try reader.optionalInteger("nothing") == nil && reader.optionalBool("nothing") == nil)
        try reader.finish()
    }

    @Test func `what is missing or of another type is refused by name`() {
        var reader = ArgumentReader(["name": 1, "list": ["x", 2], "parts": ["x"]])
        for error in [
            #expect(throws: DriverError.self) { try reader.string("name") },
            #expect(throws: DriverError.self) { try reader.strings("list") },
            #expect(throws: DriverError.self) { try reader.objects("parts") },
            #expect(throws: DriverError.self) { try reader.integer("size") },
        ] {
            #expect(error?.code == .invalidArgument && error?.message.hasPrefix("argument ") == true)
        }
    }

    @Test func `an argument nobody takes is refused`() throws {
        var reader = ArgumentReader(["name": "a", "recursive": true])
        _ = try reader.string("name")
        let error = #expect(throws: DriverError.self) { try reader.finish() }
        #expect(error?.message == "argument recursive is not an argument of this action")
    }
}
