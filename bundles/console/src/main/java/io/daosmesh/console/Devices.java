package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.DeviceView;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.ListDevicesRequest;
import java.util.List;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;

/** {@code daos:devices}, as {@code dmg storage query list-devices} for this node. */
@Service
@Command(scope = "daos", name = "devices", description = "Devices of this node")
public final class Devices extends NodeCommand {
    @Option(name = "-b", aliases = "--health", description = "with their health")
    boolean health;

    @Override
    void run(AdminCalls calls, String here) throws CommandException {
        HostReplies<ListDevicesReply> replies = calls.devices(
                List.of(here), ListDevicesRequest.newBuilder().setHealth(health).build());
        show(replies, () -> DeviceView.list(replies, health), () -> DeviceView.listJson(replies));
    }
}
