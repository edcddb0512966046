package import DriverKit
import Glibc
package import WireProtocol

/// Where recipes lie on this node, and which of them may be used.
///
/// Whoever can write a recipe is root in every guest. So each folder and file on the way to one must belong to root and be
/// writable by nobody else, and none of them may be a link that leads elsewhere.
package struct RecipeShelf: Sendable {
    /// The owner's, which win, and the package's.
    package static let standard = ["/etc/innkeeper/recipes.d", "/usr/share/innkeeper/recipes"]

    /// Bytes that one file of a recipe may have.
    package static let fileLimit = 256 << 10
    /// Recipes that a folder may hold.
    package static let countLimit = 256

    /// The first that has a recipe decides.
    package let folders: [String]

    package init(folders: [String] = Self.standard) { self.folders = folders }

    /// Lower case, as folders are called.
    package static let nameForm = TextForm("1 to 63 of a-z, 0-9 and -, beginning with a letter") { isName($0) }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    /// - Throws: `notFound`, or why the recipe that is there may not be used.
    package func recipe(_ name: String) throws(DriverError) -> Recipe {
        for folder in folders {
            guard let open = try OpenFolder(folder), let inner = try open.folder(name) else { continue }
            return try Self.read(name, in: inner)
        }
        throw DriverError(.notFound, "this node has no recipe \(name.prefix(64))")
    }

    /// All of them, one that may not be used with the reason.
    package func list() -> [JSONObject] {
        var found: [String: JSONObject] = [:]
        for folder in folders {
            for name in Self.names(in: folder) where Self.isName(name) && found[name] == nil {
                do throws(DriverError) {
                    found[name] = try recipe(name).json
                } catch {
                    let why = error.cause.map { "\(error.message): \($0)" } ?? error.message
                    found[name] = [
                        "recipe": .string(name), "folder": .string("\(folder)/\(name)"), "problem": .string(why),
                    ]
                }
            }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func read(_ name: String, in folder: OpenFolder) throws(DriverError) -> Recipe {
        let text = try folder.needed("recipe.json")
        let file: RecipeFile
        do throws(FieldError) { file = try RecipeFile(text) } catch {
            throw DriverError(.conflict, "recipe \(name) cannot be used: recipe.json is wrong", cause: "\(error)")
        }
        let common = try folder.file("common.sh") ?? []
        var verbs: [String: RecipeVerb] = [:]
        for verb in file.verbs {
            let check = verb.name == Recipe.install ? try folder.script("check.sh") : nil
            verbs[verb.name] = RecipeVerb(
                name: verb.name, summary: verb.summary, parameters: verb.parameters, returns: verb.returns,
                limit: verb.limit, changes: verb.changes,
                script: common + [0x0A] + (try folder.script("\(verb.name).sh")),
                check: check.map { common + [0x0A] + $0 })
        }
        return Recipe(
            name: name, version: file.version, summary: file.summary, systems: file.systems, verbs: verbs,
            folder: folder.path)
    }

    private static func names(in folder: String) -> [String] {
        NodeFolder.names(in: folder, atMost: countLimit) ?? []
    }
}

extension OpenFolder {
    fileprivate func needed(_ name: String) throws(DriverError) -> [UInt8] {
        guard let bytes = try file(name) else { throw problem("\(path)/\(name)", "it is missing") }
        return bytes
    }

    fileprivate func script(_ name: String) throws(DriverError) -> [UInt8] {
        let bytes = try needed(name)
        guard !bytes.contains(0) else { throw problem("\(path)/\(name)", "it has a NUL in it") }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw problem("\(path)/\(name)", "it is not UTF-8")
        }
        return bytes
    }
}
