package io.evento.scenario.chaos.check;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.workload.TransferWish;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Sagas ended as where nothing is disturbed, and what they commanded took place once. */
public final class SagaFold {

  private interface Of<T> {
    @Nullable T of(TransferWish wish);
  }

  private SagaFold() {}

  /**
   * @param ends events of each transfer's own stream
   */
  public static List<String> ofEnds(
      Collection<TransferWish> wishes, Map<String, List<String>> ends) {
    return different(
        wishes, "ends", wish -> wish.ends(), wish -> ends.getOrDefault(wish.id(), List.of()));
  }

  /**
   * @param movements of accounts, by the transfer that they belong to
   */
  public static List<String> ofMovements(
      Collection<TransferWish> wishes, Map<String, List<String>> movements) {
    return different(
        wishes,
        "moves",
        wish -> wish.movements(),
        wish -> movements.getOrDefault(wish.id(), List.of()));
  }

  /**
   * @param states that the sagas had at their end
   */
  public static List<String> ofStates(
      Collection<TransferWish> wishes, Map<String, JsonNode> states) {
    return different(wishes, "state", wish -> wish.lastState(), wish -> states.get(wish.id()));
  }

  private static <T> List<String> different(
      Collection<TransferWish> wishes, String what, Of<T> expected, Of<T> found) {
    var different = new ArrayList<String>();
    for (var wish : wishes) {
      var wanted = expected.of(wish);
      var is = found.of(wish);
      if (!Objects.equals(wanted, is)) {
        different.add(wish + " " + what + ": expected " + wanted + ", found " + is);
      }
    }
    return different;
  }
}
