import DriverKit

/// A configuration file of the cluster in sections: `type: name`, then indented `key value` lines. A key that stands alone
/// is true.
struct SectionFile: Sendable, Hashable {
    struct Section: Sendable, Hashable {
        let kind: String
        let name: String
        var values: [String: String] = [:]

        /// The parts of a value that is a list.
        func list(_ key: String) -> [String] {
            (values[key] ?? "").split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
        }

        func isOn(_ key: String) -> Bool { values[key].map(BooleanText.isTrue) ?? false }
    }

    private(set) var sections: [Section] = []

    init(_ text: String) {
        for line in text.configurationLines {
            if line.first == " " || line.first == "\t" {
                let words = line.drop { $0 == " " || $0 == "\t" }
                guard !sections.isEmpty, let first = words.first, first != "#" else { continue }
                let end = words.firstIndex { $0 == " " || $0 == "\t" } ?? words.endIndex
                let value = words[end...].drop { $0 == " " || $0 == "\t" }
                sections[sections.count - 1].values[String(words[..<end])] = value.isEmpty ? "1" : String(value)
            } else if line.first?.isLetter == true, let colon = line.firstIndex(of: ":") {
                let name = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                sections.append(Section(kind: String(line[..<colon]), name: String(name)))
            }
        }
    }

    subscript(kind: String, name: String) -> Section? { sections.first { $0.kind == kind && $0.name == name } }
    subscript(name: String) -> Section? { sections.first { $0.name == name } }
}

/// The HA manager's own files.
struct HAFiles: Sendable {
    let resources: SectionFile
    /// Of version 9; groups are of version 8.
    let rules: SectionFile
    let groups: SectionFile

    func resource(_ vmid: Int) -> SectionFile.Section? { resources["ct", "\(vmid)"] }

    /// What the manager was asked for of each container whose power is asked of it.
    var wishes: [Int: String] {
        let found = resources.sections.filter { $0.kind == "ct" }.compactMap { section in
            Int(section.name).map { ($0, section.values["state"] ?? "started") }
        }
        return Dictionary(found) { $1 }.filter { $0.value != "ignored" }
    }

    /// Whether a container of this state is to run.
    static func isOn(_ state: String) -> Bool { state == "started" || state == "enabled" }
}

extension NodeFiles {
    func highAvailability() -> HAFiles {
        func file(_ name: String) -> SectionFile { SectionFile(FileText.read("\(root)/etc/pve/ha/\(name).cfg") ?? "") }
        return HAFiles(resources: file("resources"), rules: file("rules"), groups: file("groups"))
    }
}
