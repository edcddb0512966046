import DriverKit
import Glibc
import Recipes
import TestSupport
import WireProtocol

/// Folders with recipes that a test writes.
final class Shelf: Sendable {
    let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder("recipes")
        for name in ["owner", "package"] { mkdir(folder.file(name), 0o755) }
    }

    var shelf: RecipeShelf { RecipeShelf(folders: [folder.file("owner"), folder.file("package")]) }

    static let check = "[ -e \"$param_file\" ] || exit 1\ngive found yes\n"

    static func description(_ more: JSONObject = [:]) -> JSONObject {
        var all: JSONObject = [
            "version": "1.0", "summary": "a test", "systems": ["debian-12"],
            "parameters": ["file": ["form": "path", "help": "what is made"]],
            "returns": ["found": ["help": "whether it is there"]],
        ]
        for member in more.members { all[member.key] = member.value }
        return all
    }

    /// Lays a recipe down.
    /// - Parameter files: beside `recipe.json` and a check for the file that the parameter names.
    func lay(
        _ name: String = "thing", in place: String = "package", _ description: JSONObject = Shelf.description(),
        files: [String: String] = [:]
    ) throws {
        mkdir(folder.file("\(place)/\(name)"), 0o755)
        var all = ["check.sh": Self.check, "install.sh": "touch \"$param_file\"\n"]
        all["recipe.json"] = JSONValue.object(description).text
        for (file, text) in files.merging(all, uniquingKeysWith: { first, _ in first }) {
            try folder.write(Array(text.utf8), to: "\(place)/\(name)/\(file)")
        }
    }

    func path(_ file: String, of name: String = "thing") -> String { folder.file("package/\(name)/\(file)") }
}
