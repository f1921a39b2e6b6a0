package io.daosmesh.cli.pages;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** A tool's page of the manual in the macros of man(7). One thread. */
final class ManPage {
    private final Tool tool;
    private final List<Tool> all;
    private final String release;
    private final StringBuilder out = new StringBuilder();

    private ManPage(Tool tool, List<Tool> all, String release) {
        this.tool = tool;
        this.all = all;
        this.release = release;
    }

    /** @param all that it refers to */
    static String of(Tool tool, List<Tool> all, String release) {
        return new ManPage(tool, all, release).write();
    }

    private String write() {
        CommandSpec root = tool.tree().getCommandSpec();
        line(".TH \"" + tool.name().toUpperCase(Locale.ROOT) + "\" " + tool.section() + " \"\" \"Daos Mesh " + release
                + "\" \"Daos Mesh\"");
        section("NAME");
        text(tool.name() + " - " + firstLine(root));
        section("SYNOPSIS");
        line(synopsis(root));
        section("DESCRIPTION");
        text(description(root));
        List<OptionSpec> common = shown(root, false);
        if (!common.isEmpty()) {
            section("OPTIONS");
            common.forEach(this::option);
        }
        if (!root.subcommands().isEmpty()) section("COMMANDS");
        commands(tool.tree());
        section("EXIT STATUS");
        text("0 when all was done, 1 otherwise; what failed and what helps is on standard error.");
        if (!tool.files().isEmpty()) {
            section("FILES");
            new TreeMap<>(tool.files()).forEach((file, what) -> entry("\\fI" + escaped(file) + "\\fR", what));
        }
        section("SEE ALSO");
        List<String> others = new ArrayList<>();
        for (Tool other : all) {
            if (!other.name().equals(tool.name()))
                others.add("\\fB" + escaped(other.name()) + "\\fR(" + other.section() + ")");
        }
        line(String.join(", ", others));
        return out.toString();
    }

    /** Those that do something, in the order of the tree; a group is no entry of its own. */
    private void commands(CommandLine group) {
        String last = "";
        for (Map.Entry<String, CommandLine> each : group.getSubcommands().entrySet()) {
            CommandSpec spec = each.getValue().getCommandSpec();
            if (spec.usageMessage().hidden() || spec.name().equals(last)) continue;
            last = spec.name();
            if (!spec.subcommands().isEmpty()) {
                if (spec.userObject() instanceof Runnable || !shown(spec, true).isEmpty()) command(spec);
                commands(each.getValue());
            } else {
                command(spec);
            }
        }
    }

    private void command(CommandSpec spec) {
        line(".SS " + quoted(spec.qualifiedName()));
        line(synopsis(spec));
        line(".PP");
        text(description(spec));
        if (spec.aliases().length > 0) text("Other names: " + String.join(", ", spec.aliases()) + ".");
        for (PositionalParamSpec each : spec.positionalParameters()) {
            if (!each.hidden() && each.description().length > 0)
                entry("\\fI" + escaped(each.paramLabel()) + "\\fR", String.join(" ", each.description()));
        }
        shown(spec, true).forEach(this::option);
    }

    /** Options that a page tells; those of all commands stand once, at the root. */
    private static List<OptionSpec> shown(CommandSpec spec, boolean onlyOwn) {
        return spec.options().stream()
                .filter(o -> !o.hidden() && !(onlyOwn && (o.inherited() || o.usageHelp() || o.versionHelp())))
                .toList();
    }

    private void option(OptionSpec option) {
        List<String> names = new ArrayList<>();
        for (String name : option.names()) names.add("\\fB" + escaped(name) + "\\fR");
        String value = option.arity().max() == 0 ? "" : "=\\fI" + escaped(option.paramLabel()) + "\\fR";
        entry(String.join(", ", names) + value, String.join(" ", option.description()));
    }

    private static String synopsis(CommandSpec spec) {
        StringBuilder line = new StringBuilder("\\fB" + escaped(spec.qualifiedName()) + "\\fR");
        if (!shown(spec, false).isEmpty()) line.append(" [\\fIOPTIONS\\fR]");
        for (OptionSpec option : shown(spec, true)) {
            if (option.required())
                line.append(" \\fB")
                        .append(escaped(option.longestName()))
                        .append("\\fR=\\fI")
                        .append(escaped(option.paramLabel()))
                        .append("\\fR");
        }
        for (PositionalParamSpec each : spec.positionalParameters()) {
            if (each.hidden()) continue;
            String label =
                    "\\fI" + escaped(each.paramLabel()) + "\\fR" + (each.arity().max() > 1 ? "..." : "");
            line.append(each.required() ? " " + label : " [" + label + "]");
        }
        if (!spec.subcommands().isEmpty()) line.append(" \\fICOMMAND\\fR");
        return line.toString();
    }

    private static String firstLine(CommandSpec spec) {
        String line = description(spec).replaceFirst("\\.( .*)?$", "");
        return line.substring(0, 1).toLowerCase(Locale.ROOT) + line.substring(1);
    }

    private static String description(CommandSpec spec) {
        CommandLine.Help.Ansi plain = CommandLine.Help.Ansi.OFF;
        List<String> lines = new ArrayList<>();
        for (String each : spec.usageMessage().description()) lines.add(plain.string(each.replace("%n", " ")));
        String text = lines.isEmpty() ? spec.name() : String.join(" ", lines);
        return text.matches(".*[.?!:]") ? text : text + ".";
    }

    // ---------------------------------------------------------------- macros

    private void section(String title) {
        line(".SH " + title);
    }

    private void entry(String tag, String what) {
        line(".TP");
        line(tag);
        text(what);
    }

    private void text(String plain) {
        for (String each : plain.isBlank() ? List.of("\\&") : List.of(plain.split("\\R"))) {
            String safe = each.equals("\\&") ? each : escaped(each.strip());
            line(safe.startsWith(".") || safe.startsWith("'") ? "\\&" + safe : safe);
        }
    }

    private void line(String macro) {
        out.append(macro).append('\n');
    }

    private static String quoted(String plain) {
        return "\"" + escaped(plain).replace("\"", "\\(dq") + "\"";
    }

    /** Shown as it is: groff takes a plain hyphen and quotes for typography. */
    private static String escaped(String plain) {
        return plain.replace("\\", "\\e")
                .replace("-", "\\-")
                .replace("'", "\\(aq")
                .replace("`", "\\(ga")
                .replace("^", "\\(ha")
                .replace("~", "\\(ti");
    }
}
