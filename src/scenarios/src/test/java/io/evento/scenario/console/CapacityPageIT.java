package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Flows as they are measured, and what would become of them. */
class CapacityPageIT {
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final int TRANSFERS = 20;

  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  /** Transfers with all that a saga does for them, deposits and questions. */
  @BeforeAll
  static void traffic() throws InterruptedException {
    var from = Bank.account(cluster);
    var to = Bank.account(cluster);
    from.deposit(cluster.node(1), 1_000);
    for (var i = 0; i < TRANSFERS; i++) {
      var transfer =
          Map.of(
              "transferId",
              "t-" + UUID.randomUUID(),
              "fromAccountId",
              from.account(),
              "toAccountId",
              to.account(),
              "amount",
              1);
      var door = cluster.door(cluster.node(1 + i % 3));
      assertThat(door.command("RequestTransfer", UUID.randomUUID(), transfer).status())
          .isEqualTo(200);
      to.deposit(cluster.node(1), 1);
      door.query("FindAccount", Map.of("accountId", from.account()));
    }
    await("all that transfers lead to is told")
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              var flow = flow(capacity(""), "command/RequestTransfer");
              assertThat(types(flow.path("hop")))
                  .contains("Withdraw", "MoneyWithdrawn", "Deposit", "CompleteTransfer")
                  .contains("TransferCompleted");
            });
  }

  private static JsonNode capacity(String whatIf) throws InterruptedException {
    var answer = cluster.door(cluster.node(2)).get("capacity?" + whatIf);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static JsonNode flow(JsonNode capacity, String id) {
    return StreamSupport.stream(capacity.path("flows").spliterator(), false)
        .filter(flow -> flow.path("id").asText().equals(id))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + id + " in " + capacity));
  }

  private static List<String> types(JsonNode hop) {
    var found = new ArrayList<String>();
    found.add(hop.path("type").asText());
    hop.path("next").forEach(next -> found.addAll(types(next)));
    return found;
  }

  @Test
  void a_transfer_takes_as_long_as_the_way_through_its_saga() throws InterruptedException {
    var flow = flow(capacity(""), "command/RequestTransfer");

    assertThat(flow.path("perSecond").asDouble()).isPositive();
    assertThat(flow.path("through").path("mean").asDouble())
        .isGreaterThan(flow.path("answer").path("mean").asDouble());
    var parts = flow.path("parts");
    assertThat(parts.path("handler").asDouble()).isPositive();
    assertThat(parts.path("commit").asDouble()).isPositive();
    assertThat(parts.path("lag").asDouble()).isPositive();
    var sum =
        StreamSupport.stream(parts.spliterator(), false).mapToDouble(JsonNode::asDouble).sum();
    assertThat(sum).isCloseTo(flow.path("through").path("mean").asDouble(), withPercentage(2));
  }

  @Test
  void what_a_saga_sends_comes_in_by_nobody() throws InterruptedException {
    var flows = capacity("").path("flows");
    assertThat(flows.findValuesAsText("id"))
        .contains("command/RequestTransfer", "command/Deposit", "query/FindAccount")
        .doesNotContain("command/CompleteTransfer");
  }

  @Test
  void twice_as_much_of_one_is_forecast_for_all_that_it_leads_to() throws InterruptedException {
    var now = capacity("");
    var then = capacity("rate=command/RequestTransfer:x2&instances=bank:3&target=1000");

    var flow = flow(then, "command/RequestTransfer");
    assertThat(flow.path("then").path("perSecond").asDouble())
        .isGreaterThan(1.5 * flow.path("perSecond").asDouble());
    assertThat(station(then, "then", "transfer:1").path("perSecond").asDouble())
        .isGreaterThan(1.5 * station(now, "now", "transfer:1").path("perSecond").asDouble());
    assertThat(station(then, "then", "bank commands").path("servers").asInt()).isEqualTo(192);
    assertThat(then.path("needs").findValuesAsText("bundle")).contains("bank");
    assertThat(then.path("headroom").asDouble()).isPositive();
    assertThat(then.path("stations").findValuesAsText("kind"))
        .contains("machine", "process", "streams", "threads", "segments");
  }

  private static JsonNode station(JsonNode capacity, String when, String name) {
    return StreamSupport.stream(capacity.path("stations").spliterator(), false)
        .map(one -> one.path(when))
        .filter(one -> one.path("name").asText().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + name + " in " + capacity));
  }

  @Test
  void wrong_questions_are_refused() throws InterruptedException {
    for (var query :
        List.of(
            "from=yesterday",
            "from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z",
            "from=2020-01-01T00:00:00Z",
            "all=-1",
            "rate=command/Deposit",
            "instances=bank:0",
            "cores=0",
            "target=0")) {
      assertThat(cluster.door(cluster.node(1)).get("capacity?" + query).code())
          .as(query)
          .isEqualTo("invalid-request");
    }
  }

  @Test
  void a_flow_shows_its_steps_beside_the_list_and_leads_to_the_map() {
    var page = console.visit("capacity");

    var transfer = page.locator("tr.item").filter(text("RequestTransfer"));
    assertThat(transfer.locator("svg.parts-bar")).hasAttribute("aria-label", holds("Commit"));
    transfer.getByRole(AriaRole.LINK).first().click();
    var panel = page.locator("#panel");
    assertThat(panel.locator(".hops li.longest").first()).containsText("RequestTransfer");
    assertThat(panel.locator(".hops")).containsText("transfer:1");
    assertThat(panel.locator(".hops")).containsText("CompleteTransfer");
    assertThat(page).hasURL(holds("/capacity/command/RequestTransfer"));

    panel.getByText("Half").click();
    assertThat(page).hasURL(holds("percent=50"));
    panel.getByRole(AriaRole.LINK, new Locator.GetByRoleOptions().setName("On the map")).click();
    assertThat(page).hasURL(holds("kind=command&name=RequestTransfer"));
  }

  @Test
  void what_is_assumed_stands_in_the_address_and_its_outcome_on_the_page() {
    var page = console.visit("capacity");

    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("What if")).click();
    assertThat(page.locator(".verdict")).containsText("saturate");
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("× 3")).click();
    page.getByLabel("Rate of FindAccount then").fill("×2");
    page.keyboard().press("Enter");
    assertThat(page).hasURL(holds("all=3"));
    assertThat(page).hasURL(holds("rate.query%2FFindAccount=x2"));
    page.getByLabel("99 of 100 answers within, ms").fill("1000");
    page.keyboard().press("Enter");
    assertThat(page.locator(".needs")).containsText("bank");

    var again = console.visit(page.url().replaceFirst(".*/console/", ""));
    assertThat(again.getByLabel("Rate of FindAccount then")).hasValue("x2");
    again.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("As measured")).click();
    assertThat(again).not().hasURL(holds("all="));
    assertThat(again.getByLabel("Rate of FindAccount then")).hasValue("");
  }

  @Test
  void the_pages_of_flows_are_fit_for_everybody() {
    console.accept("capacity");
    console.accept("capacity?view=whatif&all=2&target=50");
    console.accept("capacity/command/RequestTransfer?full=1");
  }

  private static Locator.FilterOptions text(String text) {
    return new Locator.FilterOptions().setHasText(text);
  }

  private static Pattern holds(String text) {
    // Judged by the browser, which does not know how Java quotes.
    return Pattern.compile(".*" + text.replaceAll("[?.]", "[$0]") + ".*");
  }
}
