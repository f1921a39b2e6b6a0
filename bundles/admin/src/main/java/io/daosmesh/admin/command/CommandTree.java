package io.daosmesh.admin.command;

import java.util.List;

/** All commands of dmg, run by this node. An OSGi service of the bundle that holds them. Any thread. */
public interface CommandTree {
    /** Every command that can be given, those too that only say why there is no such thing. */
    List<CommandLeaf> leaves();

    /**
     * What the word at the cursor can become: flags of the command, and names of pools where one is wanted.
     *
     * @param before words between the command and the cursor's
     * @param word as far as it has been typed; may be empty
     */
    List<String> candidates(CommandLeaf leaf, List<String> before, String word);

    /**
     * Blocks until the command has ended, for the deadlines of its calls; a command that follows something, until its thread is
     * interrupted or its output takes no more.
     *
     * @param arguments what follows the command's name
     * @return 0, or 1 when it failed: the reason has been told on {@link Dialog#err}
     */
    int run(CommandLeaf leaf, List<String> arguments, Dialog dialog);
}
