package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ModuleLinksTest {
  @Test
  void a_module_comes_with_all_that_it_imports_and_each_once() {
    var sources =
        Map.of(
            "/app.js",
                "import {a} from './core/a.js';\nimport {\n  b,\n  c,\n} from './parts/b.js';\nimport './parts/c.js';\n",
            "/core/a.js", "import*as t from\"../lib/t.js\";import{u}from\"../lib/u.js\";const x=1;",
            "/parts/b.js", "import {a} from '../core/a.js';\n",
            "/parts/c.js", "export const c = 1;",
            "/lib/t.js", "export{};",
            "/lib/u.js", "import{a}from\"../core/a.js\";");
    assertThat(new ModuleLinks(sources::get).closure(List.of("/app.js")))
        .containsExactly(
            "/app.js", "/core/a.js", "/parts/b.js", "/parts/c.js", "/lib/t.js", "/lib/u.js");
  }

  @Test
  void what_is_imported_only_when_it_is_needed_and_what_is_not_there_are_left_out() {
    var sources =
        Map.of(
            "/app.js",
            """
            import {gone} from './gone.js';
            const later = () => import('./later.js');
            const text = "import {x} from './text.js'";
            """,
            "/later.js",
            "",
            "/text.js",
            "");
    assertThat(new ModuleLinks(sources::get).closure(List.of("/app.js")))
        .containsExactly("/app.js");
  }

  @Test
  void a_line_of_the_head_names_a_module() {
    assertThat(ModuleLinks.lines(Set.of("/core/a.js")))
        .isEqualTo("<link rel=\"modulepreload\" href=\"/evento/console/core/a.js\">\n");
  }
}
