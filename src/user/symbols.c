/* SPDX-License-Identifier: MIT
 *
 * symbols - see the header. Headers are copied out of the bytes before they are read: nothing
 * says that they are aligned. */
#include "user/symbols.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#error "the fibers know x86-64 and aarch64 only"
#endif

static bool is_inside(struct str file, uint64_t at, uint64_t len)
{
	return at <= file.len && len <= file.len - at;
}

static enum err check_header(struct str file, Elf64_Ehdr *head, struct err_text *text)
{
	if (file.len < SELFMAG || memcmp(file.p, ELFMAG, SELFMAG) != 0)
		return err_set(text, ERR_BAD_INPUT, "not a shared object (no ELF header)");
	if (file.len < sizeof(*head))
		return err_set(text, ERR_BAD_INPUT, "cut short inside the ELF header");
	memcpy(head, file.p, sizeof(*head));
	if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB ||
	    head->e_machine != MACHINE)
		return err_set(text, ERR_BAD_INPUT,
			       "built for another kind of processor; compile it on this machine");
	if (head->e_type != ET_DYN)
		return err_set(text, ERR_BAD_INPUT,
			       "an ELF file, but not a shared object; link it with -shared");
	if (head->e_phentsize != sizeof(Elf64_Phdr) || head->e_shentsize != sizeof(Elf64_Shdr))
		return err_set(text, ERR_BAD_INPUT, "an ELF header with wrong table entry sizes");
	return OK;
}

static enum err check_segments(struct str file, const Elf64_Ehdr *head, struct err_text *text)
{
	Elf64_Phdr segment;

	if (!is_inside(file, head->e_phoff, (uint64_t)head->e_phnum * sizeof(segment)))
		return err_set(text, ERR_BAD_INPUT, "cut short: its program headers are missing");
	for (size_t i = 0; i < head->e_phnum; i++) {
		memcpy(&segment, file.p + head->e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_NULL)
			continue;
		if (!is_inside(file, segment.p_offset, segment.p_filesz))
			return err_set(text, ERR_BAD_INPUT,
				       "cut short: segment %zu ends after the file", i);
	}
	return OK;
}

static void read_section(struct str file, const Elf64_Ehdr *head, size_t i, Elf64_Shdr *out)
{
	memcpy(out, file.p + head->e_shoff + i * sizeof(*out), sizeof(*out));
}

static enum err find_tables(struct str file, const Elf64_Ehdr *head, Elf64_Shdr *symbols,
			    Elf64_Shdr *names, struct err_text *text)
{
	if (!is_inside(file, head->e_shoff, (uint64_t)head->e_shnum * sizeof(*symbols)))
		return err_set(text, ERR_BAD_INPUT, "cut short: its section headers are missing");
	for (size_t i = 0; i < head->e_shnum; i++) {
		read_section(file, head, i, symbols);
		if (symbols->sh_type != SHT_DYNSYM)
			continue;
		if (symbols->sh_link >= head->e_shnum)
			return err_set(text, ERR_BAD_INPUT, "its symbol table has no names");
		read_section(file, head, symbols->sh_link, names);
		if (!is_inside(file, symbols->sh_offset, symbols->sh_size) ||
		    !is_inside(file, names->sh_offset, names->sh_size))
			return err_set(text, ERR_BAD_INPUT, "its symbol table ends after the file");
		return OK;
	}
	return err_set(text, ERR_BAD_INPUT, "has no table of dynamic symbols");
}

/* NULL when the name does not end inside its table. */
static const char *name_of(struct str names, uint64_t at)
{
	if (at >= names.len || !memchr(names.p + at, '\0', names.len - at))
		return NULL;
	return names.p + at;
}

enum err symbols_each(struct str file, const char *prefix, symbols_fn fn, void *arg,
		      struct err_text *text)
{
	Elf64_Shdr symbols = { 0 }, names = { 0 };
	Elf64_Ehdr head;
	enum err err = check_header(file, &head, text);

	if (!err)
		err = check_segments(file, &head, text);
	if (!err)
		err = find_tables(file, &head, &symbols, &names, text);
	for (uint64_t i = 0; !err && i < symbols.sh_size / sizeof(Elf64_Sym); i++) {
		Elf64_Sym symbol;
		const char *name;

		memcpy(&symbol, file.p + symbols.sh_offset + i * sizeof(symbol), sizeof(symbol));
		name = name_of((struct str){ file.p + names.sh_offset, names.sh_size },
			       symbol.st_name);
		if (!name)
			return err_set(text, ERR_BAD_INPUT,
				       "a symbol's name lies outside the file");
		if (symbol.st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT &&
		    strncmp(name, prefix, strlen(prefix)) == 0)
			err = fn(arg, name);
	}
	return err;
}
