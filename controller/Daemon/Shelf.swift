import CloudflareIntegration
import ContainerProduct
import ControllerCore
import HelmStoreProduct
import ISPConfigIntegration
import MatomoIntegration
import NginxProxyManagerIntegration
import ResolverIntegration
import SiteProduct
import SupabaseIntegration
import WordPressProduct

extension Catalogue {
    /// What this controller sells, the standard product first, and what it does beside. A further product is a further name here.
    static let shipped = Catalogue(
        products: [Container.product, WordPress.product, HelmStore.product, CloudSite.product],
        types: [.command, .transfer])
}

extension [IntegrationKind] {
    /// What services of others this controller can work with. A further one is a further name here.
    static let shipped = [
        Cloudflare.kind, ISPConfig.kind, Matomo.kind, NginxProxyManager.kind, Resolver.kind, Supabase.kind,
    ]
}
