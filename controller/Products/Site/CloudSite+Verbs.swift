import ControllerCore
import Saga
import Store
import WireProtocol

extension CloudSite {
    static let verbs: [ProductVerb] = [
        verb(
            .provision, "Makes the site with its account, its certificate and the counting of its visits.",
            ProvisionPanelSite.saga, conclude: ProvisionPanelSite.conclude),
        verb(.suspend, "Answers visitors with 503 and keeps everything.", SuspendPanelSite.saga),
        verb(.resume, "Lets a suspended site be seen again.", ResumePanelSite.saga),
        verb(
            .repair, "Puts the site, its further names and its modes right, and lets it be seen.", RepairPanelSite.saga,
            conclude: RepairPanelSite.conclude),
        verb(.restart, "Lets nginx and PHP read the site's settings anew.", RestartPanelSite.saga),
        verb(
            CompletePanelSite.verb,
            "Tries to get what the site is still without: its certificate, the counting of visits.",
            CompletePanelSite.saga, conclude: CompletePanelSite.conclude),
        verb(
            SitePassword.verb, "Gives the site's account another password.", SitePassword.saga,
            parameters: SitePassword.parameters, conclude: SitePassword.conclude),
        verb(
            AddDatabase.verb, "Makes a database with an account of its own.", AddDatabase.saga,
            parameters: AddDatabase.parameters, conclude: AddDatabase.conclude),
        verb(
            RemoveDatabase.verb, "Removes a database with all that is in it.", RemoveDatabase.saga,
            parameters: RemoveDatabase.parameters, conclude: RemoveDatabase.conclude),
        verb(
            CheckName.verb, "Looks where a domain stands, and serves it once it is proven.", CheckName.saga,
            parameters: CheckName.parameters, settle: CheckName.settle),
        verb(RemoveName.verb, "Gives a domain up.", RemoveName.saga, parameters: CheckName.parameters),
        verb(
            .upgrade, "Changes quotas, and makes the site anew with another version of PHP.", UpgradePanelSite.saga,
            conclude: UpgradePanelSite.conclude),
        verb(
            .backUp, "Backs files and databases up, and removes backups beyond the retention.", BackUpPanelSite.saga,
            settle: BackUpPanelSite.settle),
        verb(
            RemovePanelBackup.verb, "Removes a backup.", RemovePanelBackup.saga,
            parameters: RemovePanelBackup.parameters, conclude: { _, _, _ in }, settle: RemovePanelBackup.settle),
        verb(
            .restore, "Takes files and databases back to a backup, in place; what came since is lost.",
            RestorePanelSite.saga, parameters: RestorePanelSite.parameters, conclude: RestorePanelSite.conclude),
        // A removal must work whatever the specification says, and needs nothing of it.
        verb(
            .terminate, "Removes the site with its account, files and databases.", TerminatePanelSite.saga,
            conclude: TerminatePanelSite.conclude, needsSpec: false),
    ]

    private static func verb(
        _ verb: Verb, _ summary: String, _ saga: SagaDefinition<PanelScope>, parameters: VerbParameters = .none,
        conclude: @escaping ProductVerb.Conclusion = PanelSteps.note,
        settle: @escaping ProductVerb.Settlement = { (_, _, _, _) throws(StoreError) in }, needsSpec: Bool = true
    ) -> ProductVerb {
        ProductVerb(
            verb, summary: summary, parameters: parameters, saga: saga,
            scope: { scope in
                do throws(CoreError) {
                    return PanelScope(scope: scope, spec: try CloudSiteSpec(json: scope.service.spec))
                } catch {
                    guard !needsSpec else { throw error }
                    return PanelScope(scope: scope, spec: .none)
                }
            }, conclude: conclude, settle: settle)
    }
}
