import DriverKit

/// A configuration file of the cluster in sections: `type: name`, then indented `key value` lines.
struct SectionFile: Sendable, Hashable {
    struct Section: Sendable, Hashable {
        let kind: String
        let name: String
        var values: [String: String] = [:]

        /// The parts of a value that is a list.
        func list(_ key: String) -> [String] { (values[key] ?? "").split(separator: ",").map(String.init) }
    }

    private(set) var sections: [Section] = []

    init(_ text: String) {
        for line in text.configurationLines {
            if line.first == " " || line.first == "\t" {
                let words = line.drop { $0 == " " || $0 == "\t" }
                guard !sections.isEmpty, let blank = words.firstIndex(where: { $0 == " " || $0 == "\t" }) else {
                    continue
                }
                let value = words[blank...].drop { $0 == " " || $0 == "\t" }
                sections[sections.count - 1].values[String(words[..<blank])] = String(value)
            } else if line.first?.isLetter == true, let colon = line.firstIndex(of: ":") {
                let name = line[line.index(after: colon)...].drop { $0 == " " }
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

    /// Containers whose power is asked of the manager.
    var managed: Set<Int> {
        Set(
            resources.sections.filter { $0.kind == "ct" && $0.values["state"] != "ignored" }.compactMap { Int($0.name) }
        )
    }
}

extension NodeFiles {
    func highAvailability() -> HAFiles {
        func file(_ name: String) -> SectionFile { SectionFile(FileText.read("\(root)/etc/pve/ha/\(name).cfg") ?? "") }
        return HAFiles(resources: file("resources"), rules: file("rules"), groups: file("groups"))
    }
}
