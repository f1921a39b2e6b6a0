package io.daosmesh.console.twin;

import io.daosmesh.admin.command.CommandTree;
import java.util.List;
import org.apache.karaf.shell.api.console.SessionFactory;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Registers a command {@code daos:system-query} for each {@code dmg system query}, as long as both the shell and the tree are
 * there. Owner: the thread that starts and stops bundles.
 */
@Component(
        immediate = true,
        service = {})
public final class Twins {
    private final SessionFactory sessions;
    private final List<TwinCommand> commands;

    @Activate
    public Twins(@Reference SessionFactory sessions, @Reference CommandTree tree) {
        this.sessions = sessions;
        commands =
                tree.leaves().stream().map(leaf -> new TwinCommand(tree, leaf)).toList();
        commands.forEach(sessions.getRegistry()::register);
    }

    @Deactivate
    void remove() {
        commands.forEach(sessions.getRegistry()::unregister);
    }
}
