package io.evento.scenario.chaos.check;

import io.evento.scenario.workload.Followers.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Every follower saw what is stored: all of it, in order, and nothing else. */
public final class FollowersAgree {

  private FollowersAgree() {}

  /**
   * @param seen by whom, all that he saw, in his order
   * @param stored while they followed
   */
  public static List<String> violations(Map<String, List<Seen>> seen, List<Seen> stored) {
    var wrong = new ArrayList<String>();
    seen.forEach(
        (who, all) -> {
          for (var i = 0; i < Math.max(all.size(), stored.size()); i++) {
            var saw = i < all.size() ? all.get(i).toString() : "nothing";
            var is = i < stored.size() ? stored.get(i).toString() : "nothing";
            if (!saw.equals(is)) {
              wrong.add(who + " saw " + saw + " where " + is + " is stored");
              return; // what follows is only shifted
            }
          }
        });
    return wrong;
  }
}
