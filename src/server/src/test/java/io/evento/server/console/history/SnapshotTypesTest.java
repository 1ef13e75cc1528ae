package io.evento.server.console.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SnapshotTypesTest {
  @Test
  void pages_have_every_type_once_and_in_order() {
    var names = IntStream.range(0, 450).mapToObj(i -> "Type" + i).toList();
    var found = new ArrayList<String>();
    var after = "";
    List<String> page;
    do {
      page = SnapshotResource.page(names.stream(), after, 200);
      found.addAll(page);
      after = page.get(page.size() - 1);
    } while (page.size() == 200);

    assertThat(found)
        .containsExactlyElementsOf(names.stream().sorted(Comparator.naturalOrder()).toList());
  }
}
