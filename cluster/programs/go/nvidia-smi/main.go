// A stand-in for NVIDIA's tool on the workshop's node, whose GPUs are simulated.
// It looks like the real one, so that module 3's exercises read as on hardware, says in
// everything that it prints that it is not, and shows the cards that the container was
// given: by the device plugin in NVIDIA_VISIBLE_DEVICES, by the DRA driver in a variable
// SIMULATED_GPU_5=80GiB for each card.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The device plugin's cards, as cluster/components.py has them; the 2017 way, hostPath
// mounts without a plugin, shows them all. A test compares the two files.
const (
	cards     = 4
	memoryMiB = 16384
)

const (
	prefix  = "GPU-SIMULATED-"
	version = "384.111"
	note    = "This GPU is simulated by the workshop's cluster: no computation runs on it."
	none    = "No devices were found"
	usage   = `Simulated stand-in for NVIDIA's System Management Interface. (SIMULATED)

    nvidia-smi                        a table of the GPUs that this container was given
    nvidia-smi -L                     one line for each
    nvidia-smi --query-gpu=FIELD,...  --format=csv[,noheader][,nounits]

`
)

// What the real tool ends with. Source: RETURN VALUE in its manual page.
const (
	success        = 0
	invalid        = 2
	queryFindsNone = 6
)

type card struct {
	index     int // in this container
	number    int // on the node
	name      string
	memoryMiB int
}

func (c card) uuid() string { return prefix + strconv.Itoa(c.number) }

func main() {
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

func run(arguments, environment []string, out, errors io.Writer) int {
	var fields, format string
	list := false
	for _, argument := range arguments {
		name, value, _ := strings.Cut(argument, "=")
		switch name {
		case "-h", "--help":
			fmt.Fprint(out, usage)
			fmt.Fprintf(out, "Fields: %s\n", strings.Join(fieldNames(), ", "))
			return success
		case "-L", "--list-gpus":
			list = true
		case "--query-gpu":
			fields = value
		case "--format":
			format = value
		default:
			fmt.Fprintln(errors, "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help. (SIMULATED)")
			return invalid
		}
	}
	found := given(environment)
	switch {
	case fields != "":
		return query(found, strings.Split(fields, ","), strings.Split(format, ","), out, errors)
	case len(found) == 0:
		fmt.Fprintf(out, "%s (SIMULATED)\n", none)
		return queryFindsNone
	case list:
		for _, card := range found {
			fmt.Fprintf(out, "GPU %d: %s (UUID: %s)\n", card.index, card.name, card.uuid())
		}
	default:
		table(found, out)
	}
	return success
}

// given are the cards of this container, numbered from 0 as the real tool does.
func given(environment []string) []card {
	visible, set := "", false
	var found []card
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if name == "NVIDIA_VISIBLE_DEVICES" {
			visible, set = value, true
		}
		if number, is := strings.CutPrefix(name, "SIMULATED_GPU_"); is {
			var gib, at int
			if _, err := fmt.Sscanf(number+" "+value, "%d %dGiB", &at, &gib); err == nil {
				found = append(found, card{0, at, "Simulated GPU " + value, gib * 1024})
			}
		}
	}
	if !set && len(found) == 0 {
		visible = "all"
	}
	slices.SortFunc(found, func(a, b card) int { return a.number - b.number })
	found = append(counted(visible), found...)
	for i := range found {
		found[i].index = i
	}
	return found
}

// counted are the device plugin's cards that a value of NVIDIA_VISIBLE_DEVICES names: by
// UUID or number, or all. void, none and what is unknown name none.
func counted(visible string) []card {
	wanted := strings.Split(visible, ",")
	var found []card
	for i := range cards {
		number := strconv.Itoa(i)
		if visible == "all" || slices.Contains(wanted, number) || slices.Contains(wanted, prefix+number) {
			found = append(found, card{0, i, "Simulated GPU", memoryMiB})
		}
	}
	return found
}

func table(found []card, out io.Writer) {
	fmt.Fprintf(out, `+-----------------------------------------------------------------------------+
| NVIDIA-SMI %s (SIMULATED)         Driver Version: %s (SIMULATED)  |
|-------------------------------+----------------------+----------------------+
| GPU  Name        Persistence-M| Bus-Id        Disp.A | Volatile Uncorr. ECC |
| Fan  Temp  Perf  Pwr:Usage/Cap|         Memory-Usage | GPU-Util  Compute M. |
|===============================+======================+======================|
`, version, version)
	for _, card := range found {
		fmt.Fprintf(out, "| %3d  %-19s Off  | 00000000:%02X:00.0 Off |                    0 |\n",
			card.index, card.name, card.number)
		fmt.Fprintf(out, "| N/A   30C    P8     0W /   0W |      0MiB / %5dMiB |      0%%      Default |\n",
			card.memoryMiB)
		fmt.Fprintln(out, "+-------------------------------+----------------------+----------------------+")
	}
	fmt.Fprintf(out, "| %-75s |\n", note)
	fmt.Fprintln(out, "+-----------------------------------------------------------------------------+")
}

// A field of --query-gpu, and its unit as the real tool writes it.
type field struct {
	name, unit string
	value      func(card) string
}

var fields = []field{
	{"index", "", func(c card) string { return strconv.Itoa(c.index) }},
	{"name", "", func(c card) string { return c.name }},
	{"uuid", "", func(c card) string { return c.uuid() }},
	{"driver_version", "", func(card) string { return version + " (SIMULATED)" }},
	{"memory.total", "MiB", func(c card) string { return strconv.Itoa(c.memoryMiB) }},
	{"memory.used", "MiB", func(card) string { return "0" }},
	{"memory.free", "MiB", func(c card) string { return strconv.Itoa(c.memoryMiB) }},
	{"utilization.gpu", "%", func(card) string { return "0" }},
}

func fieldNames() []string {
	var names []string
	for _, field := range fields {
		names = append(names, field.name)
	}
	return names
}

// query prints CSV; the note goes to standard error, so that what reads the CSV reads no more.
func query(found []card, wanted, format []string, out, errors io.Writer) int {
	if !slices.Contains(format, "csv") {
		fmt.Fprintln(errors, `"--format=" switch is missing: --format=csv (SIMULATED)`)
		return invalid
	}
	var chosen []field
	for _, name := range wanted {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == strings.TrimSpace(name) })
		if i < 0 {
			fmt.Fprintf(errors, "Field %q is not a valid field to query. (SIMULATED)\n", name)
			return invalid
		}
		chosen = append(chosen, fields[i])
	}
	if len(found) == 0 {
		fmt.Fprintf(out, "%s (SIMULATED)\n", none)
		return queryFindsNone
	}
	if !slices.Contains(format, "noheader") {
		line(chosen, out, func(f field) string {
			if f.unit == "" {
				return f.name
			}
			return f.name + " [" + f.unit + "]"
		})
	}
	for _, card := range found {
		line(chosen, out, func(f field) string {
			if f.unit == "" || slices.Contains(format, "nounits") {
				return f.value(card)
			}
			return f.value(card) + " " + f.unit
		})
	}
	fmt.Fprintf(errors, "SIMULATED: %s\n", note)
	return success
}

func line(chosen []field, out io.Writer, cell func(field) string) {
	var cells []string
	for _, field := range chosen {
		cells = append(cells, cell(field))
	}
	fmt.Fprintln(out, strings.Join(cells, ", "))
}
