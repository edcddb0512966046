package import DriverKit
import Glibc

/// The operations of a driver that its page in `docs/drivers` does not name, as `` `driver.operation` ``.
package func undocumented(_ operations: [ActionSpec], page: String) throws -> [String] {
    let text = try driverPage(page)
    return operations.map { "`\(page).\($0.name)`" }.filter { !text.contains($0) }
}

/// What a driver needs and its page in `docs/drivers` does not name, as `` `path` ``.
package func undocumented(_ needs: [Need], page: String) throws -> [String] {
    let text = try driverPage(page)
    return needs.map { "`\($0.what)`" }.filter { !text.contains($0) }
}

private func driverPage(_ page: String) throws -> String {
    let path = "\(#filePath.dropLast("Tests/TestSupport/DriverPage.swift".count))docs/drivers/\(page).md"
    guard let file = fopen(path, "r") else { throw SetupFailure("there is no page \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
}
