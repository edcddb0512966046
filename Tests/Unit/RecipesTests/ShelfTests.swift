import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import Recipes

@Suite struct ShelfTests {
    @Test func `a recipe says what it takes and gives, as schemas, and its verbs`() throws {
        let shelf = try Shelf()
        try shelf.lay(
            "thing",
            Shelf.description([
                "parameters": [
                    "file": ["form": "path", "help": "what is made"],
                    "size": ["form": "number", "min": 1, "max": 9, "help": "how large", "default": 3],
                    "word": ["form": "text", "help": "a word", "secret": true],
                ], "limit_s": 7,
                "verbs": ["report": ["summary": "tells", "changes": false, "returns": ["a": ["help": "b"]]]],
            ]), files: ["report.sh": "give a 1\n", "common.sh": "# of all\n"])
        let recipe = try shelf.shelf.recipe("thing")
        let install = try recipe.verb("install")
        #expect(install.limit == .seconds(7) && install.changes && install.check != nil)
        #expect(String(decoding: install.script, as: UTF8.self) == "# of all\n\ntouch \"$param_file\"\n")
        #expect(try !recipe.verb("report").changes)
        let json = recipe.json["verbs"]?["install"]
        #expect(json?["parameters"]?["required"] == ["file"] && json?["secrets"]?["required"] == ["word"])
        #expect(json?["parameters"]?["properties"]?["size"]?["default"] == 3)
        #expect(throws: DriverError.self) { try recipe.verb("nothing") }
        let values = try install.reading(["file": "/a", "size": "5"], secrets: ["word": "s"])
        #expect(values.map { "\($0.name)=\($0.value)" } == ["file=/a", "size=5", "word=s"])
    }

    @Test func `the owner's recipe wins over the package's, and what nobody has is not found`() throws {
        let shelf = try Shelf()
        try shelf.lay()
        try shelf.lay("thing", in: "owner", Shelf.description(["version": "2.0"]))
        #expect(try shelf.shelf.recipe("thing").version == "2.0")
        let error = #expect(throws: DriverError.self) { try shelf.shelf.recipe("other") }
        #expect(error?.code == .notFound)
        #expect(RecipeShelf(folders: ["/nonexistent"]).list().isEmpty)
    }

    /// Whoever can write a recipe is root in every guest.
    @Test(
        arguments: [
            "chmod o+w package/thing/install.sh", "chmod g+w package/thing", "chmod g+w package",
            "chown 65534 package/thing/check.sh", "chown 65534 package/thing",
            "mv package/thing/install.sh x && ln -s ../../x package/thing/install.sh",
            "mv package/thing x && ln -s ../x package/thing", "rm package/thing/check.sh",
            "rm package/thing/install.sh && mkdir package/thing/install.sh",
            "rm package/thing/install.sh && mkfifo package/thing/install.sh",
            "head -c 300000 /dev/zero | tr '\\0' '#' >>package/thing/install.sh",
            "printf 'a\\0b' >>package/thing/install.sh", "printf '\\377' >>package/thing/check.sh",
            "rm package/thing/recipe.json", "printf '{' >package/thing/recipe.json",
        ]) func `a recipe that somebody else could have written, or that is not whole, is not used`(_ deed: String)
        throws
    {
        let shelf = try Shelf()
        try shelf.lay()
        #expect(shelf.shelf.list().first?["problem"] == nil)
        #expect(system("cd \(shelf.folder.path) && \(deed)") == 0)
        let error = #expect(throws: DriverError.self) { try shelf.shelf.recipe("thing") }
        #expect(error?.code == .permissionDenied || error?.code == .conflict)
        #expect(error?.cause != nil && error?.retryable == false)
        let listed = shelf.shelf.list()
        #expect(listed.isEmpty || listed.first?["problem"]?.asString?.isEmpty == false)
    }

    @Test(
        arguments: [
            ["version": "a b"], ["systems": []], ["systems": ["debian 12"]], ["summary": "a\nb"], ["more": 1],
            ["limit_s": 0], ["parameters": ["File": ["form": "path", "help": "x"]]],
            ["parameters": ["mark": ["form": "path", "help": "x"]]],
            ["parameters": ["a": ["form": "regex", "help": "x"]]],
            ["parameters": ["a": ["form": "number", "min": 2, "max": 1, "help": "x"]]],
            ["parameters": ["a": ["form": "text", "help": "x", "secret": true, "default": "x"]]],
            ["parameters": ["a": ["form": "text"]]], ["returns": ["a-b": ["help": "x"]]],
            ["returns": ["a": ["help": "x", "form": "text"]]], ["verbs": ["check": ["summary": "x"]]],
            ["verbs": ["../x": ["summary": "x"]]], ["verbs": ["report": ["summary": "x", "shell": "y"]]],
            ["verbs": ["report": ["summary": "x"]]],
        ] as [JSONObject]) func `a description that says something else than it may is refused`(_ wrong: JSONObject)
        throws
    {
        let shelf = try Shelf()
        try shelf.lay("thing", Shelf.description(wrong))
        #expect(throws: DriverError.self) { try shelf.shelf.recipe("thing") }
    }

    @Test(
        arguments: [
            (
                "email", ["a@example.org", "a.b+c@x.example.org"],
                ["a", "a@b", "@example.org", "a b@example.org", "a@example.org\n"]
            ),
            (
                "url", ["https://shop.example.org", "http://192.0.2.1:8080/a/b.tar.gz"],
                [
                    "ftp://a.example.org", "https://", "https://a b", "https://u:p@example.org",
                    "https://a.example.org/?x", "https://a.example.org/'",
                ]
            ),
            (
                "networks", ["192.0.2.1", "192.0.2.0/24 2001:db8::1"],
                ["", "192.0.2.1,192.0.2.2", "192.0.2.1/24", "a", "192.0.2.1;"]
            ),
            ("sha256", [String(repeating: "0a", count: 32)], ["", String(repeating: "0A", count: 32), "0a"]),
            ("domain", ["example.org"], ["example", "-a.example.org", "a..org"]),
            ("text", ["", "it's $(id) `x` \"y\" ü"], ["a\nb", "a\u{7}", String(repeating: "a", count: 257)]),
            ("path", ["/a/b"], ["a", "/a/../b", "/a\n"]),
        ]) func `a parameter has a grammar`(_ form: String, _ right: [String], _ wrong: [String]) throws
    {
        let shelf = try Shelf()
        try shelf.lay(
            "thing", Shelf.description(["parameters": ["a": ["form": .string(form), "help": "x"]]]))
        let verb = try shelf.shelf.recipe("thing").verb("install")
        for text in right {
            #expect(try verb.reading(["a": .string(text)], secrets: [:]).first?.value == text, "\(text)")
        }
        for text in wrong {
            let error = #expect(throws: DriverError.self, "\(text)") {
                try verb.reading(["a": .string(text)], secrets: [:])
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `a secret is not taken among what is open, and is not quoted`() throws {
        let shelf = try Shelf()
        try shelf.lay(
            "thing",
            Shelf.description(["parameters": ["a": ["form": "domain", "help": "x", "secret": true]]]))
        let verb = try shelf.shelf.recipe("thing").verb("install")
        for (open, secret) in [(["a": "not-a-domain"], [:]), ([:], ["a": "not-a-domain"]), ([:], [:])]
            as [(JSONObject, JSONObject)]
        {
            let error = #expect(throws: DriverError.self) { try verb.reading(open, secrets: secret) }
            #expect(error?.description.contains("not-a-domain") == false)
        }
    }
}
