import DriverKit
import Model
import Testing
import WireProtocol

@Suite struct ArgumentReaderTests {
    @Test func `arguments are read by name and type`() throws {
        var reader = ArgumentReader([
            "name": "a", "size": 10, "force": true, "list": ["x", "y"], "map": ["k": 1], "absent": nil,
        ])
        #expect(try reader.string("name") == "a")
        #expect(try reader.integer("size", in: 1...10) == 10)
        #expect(try reader.bool("force", default: false))
        #expect(try reader.strings("list") == ["x", "y"])
        #expect(try reader.object("map") == ["k": 1])
        #expect(try reader.optionalString("absent") == nil)
        #expect(try reader.optionalInteger("nothing", in: 0...1) == nil)
        #expect(try !reader.bool("nothing", default: false))
        try reader.finish()
    }

    @Test(
        arguments: [
            ["name": 1], ["name": nil], [:], ["name": ["a"]], ["name": "-rf"], ["name": "a%b"],
        ] as [JSONObject])
    func `a name that is missing, of another type or outside its grammar is refused by name`(
        _ arguments: JSONObject
    ) {
        var reader = ArgumentReader(arguments)
        let error = #expect(throws: DriverError.self) { try reader.name("name", .snapshotName) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("argument name ") == true)
    }

    @Test func `a number outside its range is refused with the range`() {
        var reader = ArgumentReader(["size": 11])
        let error = #expect(throws: DriverError.self) { try reader.integer("size", in: 1...10) }
        #expect(error?.message == "argument size must be a whole number from 1 to 10")
    }

    @Test func `an argument nobody asks for is refused`() throws {
        var reader = ArgumentReader(["name": "a", "recursive": true])
        _ = try reader.string("name")
        let error = #expect(throws: DriverError.self) { try reader.finish() }
        #expect(error?.message == "argument recursive is not an argument of this action")
    }

    @Test func `a word is what its argument wants: a number, true or false, or text that looks like one`() throws {
        var reader = ArgumentReader(["size": "10", "force": "true", "mode": "644", "name": "2026", "off": "false"])
        #expect(try reader.integer("size", in: 1...10) == 10)
        #expect(try reader.bool("force", default: false) && !reader.bool("off", default: true))
        #expect(try reader.string("mode") == "644" && reader.name("name", .snapshotName) == "2026")
        for word in ["ten", "10x", "", "1 2", "[10]", "null", "99"] {
            var other = ArgumentReader(["size": .string(word)])
            let error = #expect(throws: DriverError.self) { try other.integer("size", in: 1...10) }
            #expect(error?.code == .invalidArgument, "\(word)")
        }
        var lists = ArgumentReader(["names": #"["a"]"#])
        #expect(throws: DriverError.self) { try lists.strings("names") }
    }
}
