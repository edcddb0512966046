"""Matomo's HTTP API, as far as it is used: 200 for most of what goes wrong, in the language of the token's user."""

import html
import re
from urllib.parse import parse_qsl, unquote

from common import Answer, StandIn

LISTS = {
    "searchKeywordParameters": "sitesearch_keyword_parameters",
    "searchCategoryParameters": "sitesearch_category_parameters", "excludedIps": "excluded_ips",
    "excludedQueryParameters": "excluded_parameters", "excludedUserAgents": "excluded_user_agents",
    "excludedReferrers": "excluded_referrers"}
SITE = (
    "siteName urls ecommerce siteSearch searchKeywordParameters searchCategoryParameters excludedIps "
    "excludedQueryParameters timezone currency group startDate excludedUserAgents keepURLFragments type settingValues "
    "excludeUnknownUrls excludedReferrers").split()
PARAMETERS = {
    "SitesManager.addSite": (SITE, ["siteName"]),
    "SitesManager.updateSite": (["idSite", *SITE], ["idSite"]),
    "SitesManager.deleteSite": (["idSite", "passwordConfirmation"], ["idSite"]),
    "SitesManager.getSiteFromId": (["idSite"], ["idSite"]),
    "SitesManager.getSiteUrlsFromId": (["idSite"], ["idSite"]),
    "SitesManager.getSitesIdFromSiteUrl": (["url"], ["url"]),
    "SitesManager.getSitesIdWithAdminAccess": ([], []),
    "SitesManager.getJavascriptTag": (["idSite", "piwikUrl"], ["idSite"]),
    "SitesManager.getTimezonesList": ([], []),
    "SitesManager.getCurrencyList": ([], []),
}
TIMEZONES = {"Europe": {"Europe/Berlin": "Germany", "Europe/Vienna": "Austria"}, "UTC": {"UTC+2": "UTC+2"}}
CURRENCIES = {"EUR": "Euro (€)", "USD": "US Dollar ($)"}


def error(message, status=200):
    return Answer(status, {"result": "error", "message": message})


def escaped(text):
    """As PHP does it."""
    return html.escape(text).replace("&#x27;", "&#039;")


def normal(url):
    return re.sub(r"^https?://(www\.)?", "", url.lower()).rstrip("/")


class Matomo(StandIn):
    name = "matomo"

    def __init__(self, world, token="0123456789abcdef0123456789abcdef"):
        super().__init__(world)
        self.tokens = {token: "super", "fedcba9876543210fedcba9876543210": "admin"}
        self.sites, self.count = {}, 0
        self.is_closed = False
        self.insert({"name": "Of others", "urls": ["https://other.example.net"], "group": ""})

    def insert(self, site):
        self.count += 1
        fields = {
            "name": site["urls"][0], "ecommerce": "0", "sitesearch": "1", "timezone": "UTC", "currency": "USD",
            "exclude_unknown_urls": "0", "group": "", "type": "website", "keep_url_fragment": "0",
            "ts_created": "2026-11-30 12:00:00", "creator_login": "root", **{name: "" for name in LISTS.values()}}
        self.sites[self.count] = {**fields, **site, "idsite": str(self.count)}
        return self.count

    def state(self):
        return {"sites": [self.shown(site) | {"urls": site["urls"]} for site in self.sites.values()]}

    def configure(self, change):
        if "site" in change:
            self.insert(change["site"])
        if "set" in change:
            self.sites[change["set"].pop("id")].update(change["set"])
        if "remove" in change:
            del self.sites[change["remove"]]
        self.is_closed = change.get("closed", self.is_closed)

    def internal_error(self):
        return Answer(500, {"result": "error", "message": "Ein Fehler ist aufgetreten"})

    @staticmethod
    def shown(site):
        # Kept as HTML, told as it was given.
        told = {name: html.unescape(value) for name, value in site.items() if name != "urls"}
        return told | {"main_url": site["urls"][0]}

    def line(self, request):
        method = re.search(rb"(?:^|&)method=([\w.]+)", request.body)
        return f"{super().line(request)} {method[1].decode() if method else '?'}"

    def handle(self, request):
        for token in self.tokens:
            if token in request.path + request.raw_query:
                self.violation("a secret in a URL")
        if request.path != "/index.php" or request.raw_query:
            self.violation("a call that is not to index.php alone")
            raise Answer(404, "<html>not found</html>")
        if request.method != "POST" or request.headers.get("content-type") != "application/x-www-form-urlencoded":
            self.violation("a call that is no form")
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if form.pop("module", None) != "API" or form.pop("format", None) != "JSON":
            self.violation("an answer that is not asked for as JSON")
            raise Answer(200, "<?xml version='1.0'?><result><error message='?'/></result>")
        method, right = form.pop("method", ""), self.tokens.get(form.pop("token_auth", ""))
        if right is None:
            raise Answer(401, "<!DOCTYPE html><html><h2>Unable to authenticate with the provided token.</h2></html>")
        if method not in PARAMETERS:
            self.violation(f"no such method: {method}")
            raise error(f"The method '{method}' does not exist", 400)
        known, needed = PARAMETERS[method]
        values = {"urls": []}
        for name, value in form.items():
            if name.startswith("urls["):
                # Decoded once more than one would think.
                values["urls"].append(unquote(value))
            elif name in known:
                # Escaped for HTML before it is kept.
                values[name] = escaped(html.unescape(value))
            else:
                self.violation(f"no such parameter of {method}: {name}")
        for name in needed:
            if not values.get(name):
                raise error(f"Bitte gib einen Wert für '{name}' ein.")
        return getattr(self, method.split(".")[1])(values, right)

    # Methods

    def site(self, values, right):
        site = self.sites.get(int(values["idSite"]))
        if site is None:
            if right != "super":
                raise self.no_access()
            raise error(
                f"An unexpected website was found in the request: website id was set to '{values['idSite']}' .")
        return site

    @staticmethod
    def no_access():
        return error("Sie können nicht auf diese Ressource zugreifen, da sie \"Hauptadministrator\"-Zugang erfordert.", 401)

    def check_write(self, right):
        if right != "super":
            raise self.no_access()
        if self.is_closed:
            raise error("Creating, updating, and deleting sites has been disabled.")

    def checked(self, values):
        if "timezone" in values and not any(values["timezone"] in zones for zones in TIMEZONES.values()):
            raise error(f"Die Zeitzone \"{values['timezone']}\" ist ungültig.")
        if "currency" in values and values["currency"] not in CURRENCIES:
            raise error(f"Die Währung \"{values['currency']}\" ist ungültig.")
        urls = []
        for url in values["urls"]:
            url = url.rstrip("/")
            url = url if "://" in url else f"http://{url}"
            if not re.fullmatch(r"https?://[^\s<>\"']+", url):
                raise error(f"Die URL '{url}' ist keine gültige URL.")
            if url not in urls:
                urls.append(url)
        names = {"siteName": "name", "timezone": "timezone", "currency": "currency", "type": "type"}
        fields = {column: values[name] for name, column in names.items() if name in values}
        if "group" in values:
            fields["group"] = values["group"].strip()
        # Written whether they are told or not.
        fields.update({column: values.get(name, "") for name, column in LISTS.items()})
        return fields | ({"urls": urls} if urls else {})

    def addSite(self, values, right):
        self.check_write(right)
        fields = self.checked(values)
        if "urls" not in fields:
            raise error("Sie müssen mindestens eine URL für die Webseite angeben.")
        return Answer(200, {"value": self.insert(fields)})

    def updateSite(self, values, right):
        self.check_write(right)
        self.site(values, right).update(self.checked(values))
        return Answer(200, {"result": "success", "message": "ok"})

    def deleteSite(self, values, right):
        self.check_write(right)
        if int(values["idSite"]) not in self.sites:
            raise error(f"website id = {values['idSite']} not found")
        if len(self.sites) == 1:
            raise error("Die letzte Webseite kann nicht gelöscht werden.")
        del self.sites[int(values["idSite"])]
        return Answer(200, {"result": "success", "message": "ok"})

    def getSiteFromId(self, values, right):
        return Answer(200, self.shown(self.site(values, right)))

    def getSiteUrlsFromId(self, values, right):
        return Answer(200, self.site(values, right)["urls"])

    def getSitesIdFromSiteUrl(self, values, right):
        wanted = normal(values["url"])
        hits = [site for site in self.sites.values() if wanted in map(normal, site["urls"])]
        return Answer(200, [{"idsite": site["idsite"]} for site in hits])

    def getSitesIdWithAdminAccess(self, values, right):
        return Answer(200, [int(site["idsite"]) for site in self.sites.values()])

    def getTimezonesList(self, values, right):
        return Answer(200, TIMEZONES)

    def getCurrencyList(self, values, right):
        return Answer(200, CURRENCIES)

    def getJavascriptTag(self, values, right):
        # Of any number, also of one that is not there.
        host = re.sub(r"^https?:", "", values.get("piwikUrl", ""))
        text = (
            "<!-- Matomo -->\n<script>\n  var _paq = window._paq = window._paq || [];\n"
            f"  (function() {{\n    var u=\"{host}/\";\n    _paq.push(['setSiteId', '{values['idSite']}']);\n"
            "  })();\n</script>\n<!-- End Matomo Code -->\n")
        return Answer(200, {"value": text})
