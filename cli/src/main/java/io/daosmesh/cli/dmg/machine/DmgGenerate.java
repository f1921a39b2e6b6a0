package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.machine.ConfigOptions;
import io.daosmesh.admin.machine.ConfigYaml;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Json;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.StorageScanReply;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** {@code dmg config}. Owner: the main thread. */
@Command(name = "config", aliases = "cfg", description = "Configurations")
public final class DmgGenerate {
    @ParentCommand
    @Nullable
    Screen parent;

    private Screen root() {
        return Objects.requireNonNull(parent);
    }

    @Command(name = "generate", description = "Print a daos_server.yml that suits the hosts, out of what they have")
    int generate(@Mixin GenerateFlags flags) {
        ConfigOptions options = flags.options(root().isInsecure());
        List<String> hosts = root().hosts();
        HostReplies<HardwareScanReply> hardware = root().calls().hardware(hosts);
        // half an answer makes no configuration: a host that is missing may be another kind
        if (!hardware.errors().isEmpty()) return failed(hardware);
        HostReplies<StorageScanReply> storage = root().calls().storageScan(hosts, false, false);
        if (!storage.errors().isEmpty()) return failed(storage);
        String text = ConfigYaml.text("dmg config generate", hardware, storage, options);
        return root().show(() -> text, () -> Json.object("host_errors", List.of(), "config", text));
    }

    private int failed(HostReplies<?> replies) {
        return root().show(
                        replies,
                        () -> "",
                        () -> Json.object("host_errors", HostBlocks.errorsJson(replies), "config", null));
    }
}
