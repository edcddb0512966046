import ControllerCore
import Logging
import TestSupport
import Testing

@testable import innkeeper_controller

@Suite struct PublicSuffixTests {
    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    @Test func `the list of the machine is read; without one that can be read, the built-in part is used`() throws {
        let folder = try ScratchFolder("suffixes")
        let good = try folder.write(Array("// a list\nexample.net\n".utf8), to: "good")
        let list = PublicSuffixes.installed(at: good, logger: Self.logger)
        #expect(list.contains("example.net") && !list.contains("co.uk"))
        let empty = try folder.write(Array("// nothing\n".utf8), to: "empty")
        for path in [empty, folder.file("absent"), folder.path] {
            let list = PublicSuffixes.installed(at: path, logger: Self.logger)
            #expect(!list.contains("example.net") && list.contains("co.uk"), "\(path)")
        }
    }
}
