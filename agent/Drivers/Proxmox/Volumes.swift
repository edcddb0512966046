/// The disks of a container, as its configuration names them.
extension GuestConfig {
    /// The volumes of a storage that it has, those of snapshots and of what it no longer uses among them.
    var volumes: Set<String> {
        let all = [values, pending] + snapshots.map(\.values)
        return Set(
            all.flatMap { values in
                values.compactMap { key, value -> String? in
                    guard Self.isDisk(key) || key.hasPrefix("unused"), let volume = PropertyText(value).first,
                        let colon = volume.firstIndex(of: ":"), !volume.hasPrefix("/")
                    else { return nil }
                    // `local:8` asks for a disk that is not there yet.
                    return Double(volume[volume.index(after: colon)...]) == nil ? volume : nil
                }
            })
    }

    /// Bytes that copies of the disks take of each storage.
    /// - Parameter storage: where all go; nil leaves each on its own.
    static func sizes(of values: [String: String], on storage: String?) -> [String: Int64] {
        values.reduce(into: [:]) { sizes, entry in
            let disk = PropertyText(entry.value)
            guard isDisk(entry.key), let volume = disk.first, let colon = volume.firstIndex(of: ":"),
                !volume.hasPrefix("/")
            else { return }
            sizes[storage ?? String(volume[..<colon]), default: 0] += disk["size"].flatMap(SizeText.bytes) ?? 0
        }
    }

    private static func isDisk(_ key: String) -> Bool {
        key == "rootfs" || key.hasPrefix("mp") && key.dropFirst(2).allSatisfy(\.isNumber)
    }

    var storages: Set<String> { Set(volumes.map { String($0.prefix { $0 != ":" }) }) }
}
