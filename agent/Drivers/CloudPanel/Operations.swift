import DriverKit

/// The tables of the operations, by noun.
extension CloudPanelDriver {
    private static let hours = Duration.seconds(7800)

    static let siteOperations: [Operation<CloudPanelDriver>] = [
        Operation(OperationSpec("site.list", .observe, summary: "lists the sites of the panel")) {
            driver, call, _ throws(DriverError) in try await driver.listSites(call)
        },
        Operation(OperationSpec("site.show", .observe, summary: "tells what one site is")) {
            driver, call, _ throws(DriverError) in try await driver.showSite(call)
        },
        Operation(
            OperationSpec("site.add", .mutate, defaultDeadline: .seconds(300), summary: "makes a site be there")
        ) { driver, call, _ throws(DriverError) in try await driver.addSite(call) },
        Operation(
            OperationSpec(
                "site.delete", .mutate, defaultDeadline: .seconds(300),
                summary: "removes a site with its user, files and databases")
        ) { driver, call, _ throws(DriverError) in try await driver.deleteSite(call) },
        Operation(OperationSpec("site.suspend", .mutate, summary: "lets nginx answer 503 for a site")) {
            driver, call, _ throws(DriverError) in try await driver.suspendSite(call)
        },
        Operation(OperationSpec("site.resume", .mutate, summary: "ends the suspension of a site")) {
            driver, call, _ throws(DriverError) in try await driver.resumeSite(call)
        },
        Operation(
            OperationSpec(
                "site.permissions", .mutate, defaultDeadline: .seconds(900),
                summary: "gives a site's folders and files their modes")
        ) { driver, call, _ throws(DriverError) in try await driver.resetPermissions(call) },
    ]

    static let certificateOperations: [Operation<CloudPanelDriver>] = [
        Operation(OperationSpec("certificate.show", .observe, summary: "tells which certificate a site has")) {
            driver, call, _ throws(DriverError) in try await driver.showCertificate(call)
        },
        Operation(
            OperationSpec(
                "certificate.order", .mutate, defaultDeadline: .seconds(600),
                summary: "makes a site have a certificate of Let's Encrypt that lasts")
        ) { driver, call, _ throws(DriverError) in try await driver.orderCertificate(call) },
        Operation(OperationSpec("certificate.install", .mutate, summary: "gives a site a certificate of one's own")) {
            driver, call, _ throws(DriverError) in try await driver.installCertificate(call)
        },
    ]

    static let databaseOperations: [Operation<CloudPanelDriver>] = [
        Operation(OperationSpec("database.list", .observe, summary: "lists databases, all or of one site")) {
            driver, call, _ throws(DriverError) in try await driver.listDatabases(call)
        },
        Operation(OperationSpec("database.add", .mutate, summary: "makes a database with a user be there")) {
            driver, call, _ throws(DriverError) in try await driver.addDatabase(call)
        },
        Operation(OperationSpec("database.delete", .mutate, summary: "removes a database, its users and its backups")) {
            driver, call, _ throws(DriverError) in try await driver.deleteDatabase(call)
        },
        Operation(
            OperationSpec(
                "database.export", .mutate, defaultDeadline: hours, summary: "makes a dump of a database and checks it")
        ) { driver, call, _ throws(DriverError) in try await driver.exportDatabase(call) },
        Operation(
            OperationSpec("database.import", .mutate, defaultDeadline: hours, summary: "loads a dump into a database")
        ) { driver, call, _ throws(DriverError) in try await driver.importDatabase(call) },
    ]

    static let dumpOperations: [Operation<CloudPanelDriver>] = [
        Operation(OperationSpec("dump.list", .observe, summary: "lists the dumps on the node")) {
            driver, call, _ throws(DriverError) in try await driver.listDumps(call)
        },
        Operation(
            OperationSpec(
                "dump.read", .observe, defaultDeadline: hours, summary: "sends a dump as output", givesBytes: true)
        ) { driver, call, context throws(DriverError) in try await driver.readDump(call, context) },
        Operation(
            OperationSpec(
                "dump.write", .mutate, defaultDeadline: hours, summary: "makes a dump of the input", input: .always)
        ) { driver, call, context throws(DriverError) in try await driver.writeDump(call, context) },
        Operation(OperationSpec("dump.delete", .mutate, summary: "removes a dump")) {
            driver, call, _ throws(DriverError) in try await driver.deleteDump(call)
        },
    ]

    static let userOperations: [Operation<CloudPanelDriver>] = [
        Operation(OperationSpec("user.list", .observe, summary: "lists the users of the panel")) {
            driver, call, _ throws(DriverError) in try await driver.listUsers(call)
        },
        Operation(OperationSpec("user.add", .mutate, summary: "makes a user of the panel be there")) {
            driver, call, _ throws(DriverError) in try await driver.addUser(call)
        },
        Operation(OperationSpec("user.delete", .mutate, summary: "removes a user of the panel")) {
            driver, call, _ throws(DriverError) in try await driver.deleteUser(call)
        },
        Operation(OperationSpec("user.password", .mutate, summary: "gives a user of the panel another password")) {
            driver, call, _ throws(DriverError) in try await driver.setUserPassword(call)
        },
    ]

    static let templateOperations: [Operation<CloudPanelDriver>] = [
        Operation(OperationSpec("template.list", .observe, summary: "lists the templates of PHP sites")) {
            driver, call, _ throws(DriverError) in try await driver.listTemplates(call)
        },
        Operation(OperationSpec("template.show", .observe, summary: "gives the text of a template")) {
            driver, call, _ throws(DriverError) in try await driver.showTemplate(call)
        },
        Operation(OperationSpec("template.add", .mutate, summary: "makes a template be there", guarded: true)) {
            driver, call, _ throws(DriverError) in try await driver.addTemplate(call)
        },
        Operation(OperationSpec("template.delete", .mutate, summary: "removes a template that is not the panel's own"))
        {
            driver, call, _ throws(DriverError) in try await driver.deleteTemplate(call)
        },
    ]
}
