import DriverKit

/// The tables of the actions, by noun.
extension CloudPanelDriver {
    private static let hours = Duration.seconds(7800)

    static let siteActions: [Action<CloudPanelDriver>] = [
        Action(ActionSpec("site.list", .observe, summary: "lists the sites of the panel")) {
            driver, call, _ throws(DriverError) in try await driver.listSites(call)
        },
        Action(ActionSpec("site.show", .observe, summary: "tells what one site is")) {
            driver, call, _ throws(DriverError) in try await driver.showSite(call)
        },
        Action(
            ActionSpec("site.add", .mutate, defaultDeadline: .seconds(300), summary: "makes a site be there")
        ) { driver, call, context throws(DriverError) in try await driver.addSite(call, context) },
        Action(ActionSpec("site.mark", .mutate, summary: "gives a site without a mark its mark")) {
            driver, call, context throws(DriverError) in try await driver.markSite(call, context)
        },
        Action(ActionSpec("site.unmark", .mutate, summary: "takes a site's mark away and leaves the site")) {
            driver, call, _ throws(DriverError) in try await driver.unmarkSite(call)
        },
        Action(
            ActionSpec(
                "site.delete", .mutate, defaultDeadline: .seconds(300),
                summary: "removes a site with its user, files and databases")
        ) { driver, call, _ throws(DriverError) in try await driver.deleteSite(call) },
        Action(ActionSpec("site.suspend", .mutate, summary: "lets nginx answer 503 for a site")) {
            driver, call, _ throws(DriverError) in try await driver.suspendSite(call)
        },
        Action(ActionSpec("site.resume", .mutate, summary: "ends the suspension of a site")) {
            driver, call, _ throws(DriverError) in try await driver.resumeSite(call)
        },
        Action(ActionSpec("site.aliases", .mutate, summary: "lets a site answer for these further names")) {
            driver, call, _ throws(DriverError) in try await driver.setAliases(call)
        },
        Action(ActionSpec("site.restart", .mutate, summary: "lets nginx and PHP read a site's settings anew")) {
            driver, call, _ throws(DriverError) in try await driver.restartSite(call)
        },
        Action(ActionSpec("site.password", .mutate, summary: "gives a site's account another password")) {
            driver, call, _ throws(DriverError) in try await driver.setSitePassword(call)
        },
        Action(
            ActionSpec(
                "site.backup", .mutate, defaultDeadline: hours, summary: "keeps a site's files and databases")
        ) { driver, call, _ throws(DriverError) in try await driver.backUpSite(call) },
        Action(
            ActionSpec(
                "site.restore", .mutate, defaultDeadline: hours, summary: "puts a backup into a site")
        ) { driver, call, _ throws(DriverError) in try await driver.restoreSite(call) },
        Action(
            ActionSpec(
                "site.permissions", .mutate, defaultDeadline: .seconds(900),
                summary: "gives a site's folders and files their modes")
        ) { driver, call, _ throws(DriverError) in try await driver.resetPermissions(call) },
    ]

    static let certificateActions: [Action<CloudPanelDriver>] = [
        Action(ActionSpec("certificate.show", .observe, summary: "tells which certificate a site has")) {
            driver, call, _ throws(DriverError) in try await driver.showCertificate(call)
        },
        Action(
            ActionSpec(
                "certificate.order", .mutate, defaultDeadline: .seconds(600),
                summary: "makes a site have a certificate of Let's Encrypt that lasts")
        ) { driver, call, _ throws(DriverError) in try await driver.orderCertificate(call) },
        Action(ActionSpec("certificate.install", .mutate, summary: "gives a site a certificate of one's own")) {
            driver, call, _ throws(DriverError) in try await driver.installCertificate(call)
        },
    ]

    static let databaseActions: [Action<CloudPanelDriver>] = [
        Action(ActionSpec("database.list", .observe, summary: "lists databases, all or of one site")) {
            driver, call, _ throws(DriverError) in try await driver.listDatabases(call)
        },
        Action(ActionSpec("database.add", .mutate, summary: "makes a database with a user be there")) {
            driver, call, _ throws(DriverError) in try await driver.addDatabase(call)
        },
        Action(ActionSpec("database.delete", .mutate, summary: "removes a database, its users and its backups")) {
            driver, call, _ throws(DriverError) in try await driver.deleteDatabase(call)
        },
        Action(
            ActionSpec(
                "database.export", .mutate, defaultDeadline: hours, summary: "makes a dump of a database and checks it")
        ) { driver, call, _ throws(DriverError) in try await driver.exportDatabase(call) },
        Action(
            ActionSpec("database.import", .mutate, defaultDeadline: hours, summary: "loads a dump into a database")
        ) { driver, call, _ throws(DriverError) in try await driver.importDatabase(call) },
    ]

    static let dumpActions: [Action<CloudPanelDriver>] = [
        Action(ActionSpec("dump.list", .observe, summary: "lists the dumps on the node")) {
            driver, call, _ throws(DriverError) in try await driver.listDumps(call)
        },
        Action(
            ActionSpec(
                "dump.read", .observe, defaultDeadline: hours, summary: "sends a dump as output", givesBytes: true)
        ) { driver, call, context throws(DriverError) in try await driver.readDump(call, context) },
        Action(
            ActionSpec(
                "dump.write", .mutate, defaultDeadline: hours, summary: "makes a dump of the input", input: .always)
        ) { driver, call, context throws(DriverError) in try await driver.writeDump(call, context) },
        Action(ActionSpec("dump.delete", .mutate, summary: "removes a dump")) {
            driver, call, _ throws(DriverError) in try await driver.deleteDump(call)
        },
    ]

    static let backupActions: [Action<CloudPanelDriver>] = [
        Action(ActionSpec("backup.list", .observe, summary: "lists the backups of sites on the node")) {
            driver, call, _ throws(DriverError) in try await driver.listBackups(call)
        },
        Action(ActionSpec("backup.delete", .mutate, summary: "removes a backup of a site")) {
            driver, call, _ throws(DriverError) in try await driver.deleteBackup(call)
        },
    ]

    static let userActions: [Action<CloudPanelDriver>] = [
        Action(ActionSpec("user.list", .observe, summary: "lists the users of the panel")) {
            driver, call, _ throws(DriverError) in try await driver.listUsers(call)
        },
        Action(ActionSpec("user.add", .mutate, summary: "makes a user of the panel be there")) {
            driver, call, _ throws(DriverError) in try await driver.addUser(call)
        },
        Action(ActionSpec("user.delete", .mutate, summary: "removes a user of the panel")) {
            driver, call, _ throws(DriverError) in try await driver.deleteUser(call)
        },
        Action(ActionSpec("user.password", .mutate, summary: "gives a user of the panel another password")) {
            driver, call, _ throws(DriverError) in try await driver.setUserPassword(call)
        },
    ]

    static let templateActions: [Action<CloudPanelDriver>] = [
        Action(ActionSpec("template.list", .observe, summary: "lists the templates of PHP sites")) {
            driver, call, _ throws(DriverError) in try await driver.listTemplates(call)
        },
        Action(ActionSpec("template.show", .observe, summary: "gives the text of a template")) {
            driver, call, _ throws(DriverError) in try await driver.showTemplate(call)
        },
        Action(ActionSpec("template.add", .mutate, summary: "makes a template be there", guarded: true)) {
            driver, call, _ throws(DriverError) in try await driver.addTemplate(call)
        },
        Action(ActionSpec("template.delete", .mutate, summary: "removes a template that is not the panel's own")) {
            driver, call, _ throws(DriverError) in try await driver.deleteTemplate(call)
        },
    ]
}
