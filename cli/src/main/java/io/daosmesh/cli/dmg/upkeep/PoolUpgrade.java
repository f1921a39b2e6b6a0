package io.daosmesh.cli.dmg.upkeep;

import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.admin.view.upkeep.UpkeepView;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.wire.PoolUpgradeReply;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code dmg pool upgrade}. Owner: the main thread. */
@Command(name = "upgrade", description = "Raise a pool to the newest layout")
public final class PoolUpgrade implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec; // set by picocli

    @Parameters(paramLabel = "POOL", description = "label or UUID")
    String pool = "";

    @Override
    public Integer call() {
        Screen root = Screen.of(Objects.requireNonNull(spec));
        PoolUpgradeReply reply = new UpkeepCalls(root.calls()).upgrade(pool);
        return root.show(() -> UpkeepView.upgrade(reply), () -> UpkeepView.upgradeJson(reply));
    }
}
