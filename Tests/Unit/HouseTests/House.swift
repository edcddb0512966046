import Glibc

/// The files of this package as they lie on the disk.
enum House {
    /// The folder of `Package.swift`.
    static let root: String = {
        var parts = #filePath.split(separator: "/").dropLast()
        while !parts.isEmpty, access("/" + parts.joined(separator: "/") + "/Package.swift", F_OK) != 0 {
            parts.removeLast()
        }
        return "/" + parts.joined(separator: "/")
    }()

    /// The names in a folder, sorted; empty where there is none.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Every file below a folder, as paths from the root.
    static func files(below folder: String, ending: String = "") -> [String] {
        names(in: folder).flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat("\(root)/\(path)", &status) == 0 else { return [] }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: return files(below: path, ending: ending)
            case S_IFREG: return path.hasSuffix(ending) ? [path] : []
            default: return []
            }
        }
    }

    /// The text of a file; empty where there is none.
    static func text(_ path: String) -> String {
        guard let stream = fopen("\(root)/\(path)", "r") else { return "" }
        defer { fclose(stream) }
        var (bytes, piece) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while case let count = fread(&piece, 1, piece.count, stream), count > 0 { bytes += piece.prefix(count) }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func exists(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }

    /// The modules that a Swift file imports.
    static func imports(of path: String) -> Set<String> {
        var modules: Set<String> = []
        for line in text(path).split(separator: "\n") where line.contains("import ") {
            var words = line.split(separator: " ").drop { $0.hasPrefix("@") || accessLevels.contains($0) }
            guard words.popFirst() == "import" else { continue }
            words = words.drop { declarations.contains($0) }
            if let module = words.first?.split(separator: ".").first { modules.insert(String(module)) }
        }
        return modules
    }

    private static let accessLevels: Set<Substring> = ["package", "public", "internal", "private", "fileprivate"]
    private static let declarations: Set<Substring> = ["struct", "class", "enum", "func", "var", "let", "typealias"]

    /// Where each module is imported that one of these folders' files imports.
    static func importers(below folders: [String]) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for folder in folders {
            for file in files(below: folder, ending: ".swift") {
                for module in imports(of: file) { found[module, default: []].append(file) }
            }
        }
        return found
    }

    /// The folders of what is shipped.
    static let shipped = ["Sources", "proto/Messages", "agent", "controller"]
}
