package io.daosmesh.cli.dmg.upkeep;

import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.cli.dmg.screen.Screen;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code dmg system self-heal}. Owner: the main thread. */
@Command(name = "self-heal", description = "What the system does by itself")
public final class SelfHeal {
    @Spec
    @Nullable
    CommandSpec spec; // set by picocli

    @Command(name = "eval", description = "Act again on what the property self_heal says now")
    int eval() {
        Screen root = Screen.of(Objects.requireNonNull(spec));
        new UpkeepCalls(root.calls()).evaluateSelfHeal();
        return root.show(() -> "System self-heal eval request succeeded\n", () -> null);
    }
}
