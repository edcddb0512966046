import Glibc
import HTTPFetch
import SimulatedFleet
import Synchronization

/// One look at one daemon.
struct Reading: Sendable {
    var daemon: String
    var life: Int
    /// Since the soak began.
    var hours: Double
    var figures: [Figure: Double]
}

/// What is looked at. Memory is in KiB.
enum Figure: String, CaseIterable, Sendable {
    case anonymous = "anon_kib"
    /// Anonymous memory without what SQLite holds, whose page cache fills up to its limit with the data.
    case own = "own_kib"
    case pss = "pss_kib"
    case descriptors
    case threads
    /// Thousandths of a core since the last look.
    case cpu = "cpu_milli"
    case database = "db_kib"
    case log = "wal_kib"

    /// The growth an hour from which it is a leak; nil for what may grow with the data.
    func bound(of daemon: String) -> Double? {
        let isController = daemon == "controller"
        return switch self {
        case .own: isController ? 2048 : 512
        case .descriptors: 4
        case .threads: 1
        default: nil
        }
    }
}

/// Looks at the daemons every few seconds and keeps what it saw, in memory and as lines of a file.
final class Recorder: Sendable {
    private let site: Site
    private let start = ContinuousClock.now
    private let state = Mutex<(readings: [Reading], cpu: [String: (life: Int, total: Double, hours: Double)])>(
        ([], [:]))

    init(site: Site) { self.site = site }

    var readings: [Reading] { state.withLock { $0.readings } }

    func look() async {
        let sqlite = await storeMemory()
        var fresh: [Reading] = []
        for daemon in [site.controller] + site.agents {
            guard let (pid, life) = daemon.present else { continue }
            let process = ProcessFigures(pid: pid)
            guard process.pss > 0 else { continue }
            let isController = daemon.name == "controller"
            guard !isController || sqlite != nil else { continue }
            fresh.append(reading(daemon.name, life, process, isController ? sqlite ?? 0 : 0, isController))
        }
        let taken = fresh
        state.withLock { $0.readings += taken }
        write(taken)
    }

    private func reading(
        _ name: String, _ life: Int, _ process: ProcessFigures, _ sqlite: Double, _ hasDatabase: Bool
    ) -> Reading {
        let hours = (ContinuousClock.now - start).hours
        var figures: [Figure: Double] = [
            .anonymous: Double(process.anonymous), .own: Double(process.anonymous) - sqlite,
            .pss: Double(process.pss), .descriptors: Double(process.descriptors), .threads: Double(process.threads),
        ]
        let path = hasDatabase ? site.database : "\(site.folder)/\(name)/journal.sqlite"
        figures[.database] = Self.kibibytes(path)
        figures[.log] = Self.kibibytes(path + "-wal")
        state.withLock { state in
            if let last = state.cpu[name], last.life == life, hours > last.hours {
                figures[.cpu] = (process.cpu - last.total) / (hours - last.hours) / 3600
            }
            state.cpu[name] = (life, process.cpu, hours)
        }
        return Reading(daemon: name, life: life, hours: hours, figures: figures)
    }

    /// What SQLite holds in the controller, KiB; nil when it does not answer.
    private func storeMemory() async -> Double? {
        guard let response = try? await site.front.send("GET", "/metrics"), response.status == 200 else { return nil }
        let lines = String(decoding: response.body, as: UTF8.self).split(separator: "\n")
        let line = lines.first { $0.hasPrefix("innkeeper_store_memory_bytes ") }
        return line?.split(separator: " ").last.flatMap { Double($0) }.map { $0 / 1024 }
    }

    private func write(_ readings: [Reading]) {
        let path = "\(site.folder)/readings.csv"
        let isNew = access(path, F_OK) != 0
        guard let file = fopen(path, "a") else { return }
        defer { fclose(file) }
        if isNew { fputs("hours,daemon,life," + Figure.allCases.map(\.rawValue).joined(separator: ",") + "\n", file) }
        for reading in readings {
            let values = Figure.allCases.map { reading.figures[$0].map { "\(($0 * 10).rounded() / 10)" } ?? "" }
            fputs("\(reading.hours),\(reading.daemon),\(reading.life),\(values.joined(separator: ","))\n", file)
        }
    }

    private static func kibibytes(_ path: String) -> Double {
        var info = stat()
        return stat(path, &info) == 0 ? Double(info.st_size) / 1024 : 0
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
    var hours: Double { seconds / 3600 }
}
