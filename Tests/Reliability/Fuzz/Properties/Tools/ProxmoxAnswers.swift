import DriverKit
import WireProtocol

@testable import ProxmoxDriver

/// The cluster's files, and what the node's tools print.
enum ProxmoxAnswers {
    static let targets = [
        FuzzTarget("proxmox-files") { input in
            try guest(text(input))
            try sections(text(input))
            try properties(text(input))
            try sizes(text(input))
            try tasks(text(input))
        },
        FuzzTarget("proxmox-tools") { input in
            try tables(input)
            try complaints(text(input))
        },
    ]

    // MARK: - Files

    private static func guest(_ text: String) throws {
        let config = GuestConfig(text)
        let again = GuestConfig(written(config))
        try require(again == config, "a configuration reads back as another")
        for prefix in ["net", "mp"] {
            let keys = config.numbered(prefix).map(\.key)
            try require(Set(keys).count == keys.count, "\(prefix) has a number twice")
            try require(keys.allSatisfy { config[$0] != nil }, "\(prefix) has a number that is not there")
        }
        for word in [config.mark?.service, config.mark?.nonce] {
            try require(word.map { !$0.contains(" ") } ?? true, "a mark of several words")
        }
        try require(config.volumes.allSatisfy { $0.contains(":") }, "a volume of no storage")
        let guest = Guest(vmid: 100, config: config, isRunning: true, spec: nil)
        try carried(guest.json)
        try require((guest.size(of: "rootfs") ?? 0) >= 0, "a disk smaller than nothing")
    }

    /// As the cluster writes it, its keys in another order.
    private static func written(_ config: GuestConfig) -> String {
        func lines(_ values: [String: String]) -> String {
            values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }.joined()
        }
        func note(_ description: String) -> String {
            description.isEmpty ? "" : "#" + escaped(description.utf8.dropLast()) + "\n"
        }
        var text = note(config.description) + lines(config.values)
        text += config.raw.map { "\($0.key): \($0.value)\n" }.joined()
        if !config.pending.isEmpty { text += "[pve:pending]\n" + lines(config.pending) }
        for snapshot in config.snapshots {
            text += "[\(snapshot.name)]\n" + note(snapshot.description) + lines(snapshot.values)
        }
        return text
    }

    private static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    private static func sections(_ text: String) throws {
        let file = SectionFile(text)
        let written = file.sections.map { section in
            "\(section.kind): \(section.name)\n"
                + section.values.sorted { $0.key < $1.key }.map { "\t\($0.key) \($0.value)\n" }.joined()
        }
        try require(SectionFile(written.joined()) == file, "a file of sections reads back as another")
        let high = HAFiles(resources: file, rules: file, groups: file)
        let numbered = file.sections.filter { $0.kind == "ct" }
        try require(high.wishes.count <= numbered.count, "more containers than sections")
        for section in file.sections {
            try carried(section.json)
            let rule = HARule(name: section.name, kind: .together, containers: [100, 101])
            try require(
                !rule.isMet(by: section) || section.kind == "resource-affinity", "a rule of another kind is met")
        }
    }

    private static func properties(_ text: String) throws {
        let properties = PropertyText(text)
        let parts = properties.values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let written = parts + (properties.first.map { [$0] } ?? [])
        // A volume may stand behind its key; then it stands in both places, and one of them is as good.
        let again = PropertyText((properties.first == properties["volume"] ? parts : written).joined(separator: ","))
        try require(again == properties, "properties read back as others")
    }

    private static func sizes(_ text: String) throws {
        try require((SizeText.bytes(text) ?? 0) >= 0, "a size below nothing")
        if let number = Int64(text), (0..<1 << 53).contains(number) {
            try require(SizeText.bytes(text) == number, "a size of \(number) is another")
        }
        try require(PercentText.decode(escaped(text.utf8)) == text, "a description changes")
    }

    private static func tasks(_ text: String) throws {
        for task in text.textLines.compactMap({ TaskLine($0) }) {
            try require(task.pid > 1 && !task.subject.contains(" "), "an odd task: \(task)")
            try require(task.log.filter { $0 == "/" }.count == 1, "a log in another folder: \(task)")
        }
    }

    // MARK: - Tools

    private static func tables(_ input: UnsafeRawBufferPointer) throws {
        let storages = Storage.parse(text(input))
        let volumes = Volume.parse(text(input))
        try require(max(storages.count, volumes.count) < lineCount(input), "more rows than lines below the heading")
        for storage in storages {
            try require(!storage.name.isEmpty && !storage.kind.isEmpty, "a storage without a name")
            try require(
                storage.totalBytes >= 0 && storage.availableBytes >= 0, "\(storage.name) has less room than none")
        }
        for volume in volumes {
            try require(volume.id.contains(":"), "a volume of no storage")
            try require((volume.sizeBytes ?? 0) >= 0 && (volume.vmid ?? 0) >= 0, "an odd volume: \(volume)")
        }
    }

    private static func complaints(_ text: String) throws {
        let bare = ProxmoxFailure.withoutQuotations(text)
        try require(bare.utf8.count <= text.utf8.count, "a message grows")
        for tool in [ProxmoxTools.Tool.pct, .pvesm, .haManager] {
            try brief(ProxmoxFailure.error(tool, message: text))
            try brief(ProxmoxFailure.error(tool, message: "unable to create CT 1", log: text))
            try brief(ProxmoxFailure.error(tool, ended(text.utf8)))
        }
    }
}
