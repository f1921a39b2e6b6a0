package io.daosmesh.cli.server;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.machine.ConfigYaml;
import io.daosmesh.admin.view.Json;
import io.daosmesh.cli.dmg.machine.GenerateFlags;
import io.daosmesh.model.machine.Machine;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.transport.credential.LocalUser;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code daos_server config}. Owner: the main thread. */
@Command(name = "config", aliases = "cfg", description = "Configuration of this machine")
final class ConfigCommands extends Sub {
    @Command(
            name = "generate",
            description = "Print a daos_server.yml that suits this machine; emulated devices are those of -o")
    int generate(@Mixin GenerateFlags flags) {
        ServerFile file = root().file();
        String host = LocalUser.machine();
        HardwareScanReply machine = Machine.scan(root().sys(), host);
        boolean insecure = file.isThere() && file.tls().allowInsecure();
        String text = ConfigYaml.text(
                "daos_server config generate",
                new HostReplies<>(Map.of(host, machine), Map.of()),
                new HostReplies<>(Map.of(host, file.emulated()), Map.of()),
                flags.options(insecure));
        return root().show(() -> text, () -> Json.object("host_errors", List.of(), "config", text));
    }
}
