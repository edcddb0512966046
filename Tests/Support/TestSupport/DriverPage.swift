package import DriverKit
import Glibc
import Model

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

/// Whether a driver's page ends with what its table of actions says of their arguments. With `INNKEEPER_WRITE_PAGES` set
/// the page is made so.
package func tellsArguments(_ actions: [ActionSpec], page: String) throws -> Bool {
    let (text, made) = (try driverPage(page), ArgumentPage(actions, driver: page).text)
    if text.hasSuffix(made) { return true }
    guard getenv("INNKEEPER_WRITE_PAGES") != nil else { return false }
    let kept = text.firstRange(of: ArgumentPage.heading).map { text[..<$0.lowerBound] } ?? text[...] + "\n"
    let file = try openPage(page, "w")
    defer { fclose(file) }
    let bytes = Array((kept + made).utf8)
    return fwrite(bytes, 1, bytes.count, file) == bytes.count
}

private func openPage(_ page: String, _ mode: String) throws -> UnsafeMutablePointer<FILE> {
    let path = "\(Checkout.root)/docs/drivers/\(page).md"
    guard let file = fopen(path, mode) else { throw SetupFailure("there is no page \(path)") }
    return file
}

private func driverPage(_ page: String) throws -> String {
    let file = try openPage(page, "r")
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
}
