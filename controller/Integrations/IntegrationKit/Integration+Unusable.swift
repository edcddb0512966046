package import ControllerCore

extension Integration {
    /// Of settings that an earlier version took and this one does not: everything says so.
    package static func unusable(_ error: CoreError) -> Integration {
        Integration(test: { [IntegrationCheck("settings", isPassed: false, "\(error)")] })
    }
}
