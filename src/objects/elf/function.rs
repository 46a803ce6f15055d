//! What an exported function does where it does next to nothing: the stub of a library returns a number at once.

use object::pod::slice_from_all_bytes;
use object::{LittleEndian as LE, elf};

use super::lookup::{Object, Table};
use super::{ElfError, Machine, bytes_of, file_range};
use crate::objects::ReadAt;

/// Symbol tables above this size are not searched: libcuda's has 20 kB.
const MAX_SYMBOLS: u64 = 1 << 20;
/// As many bytes as the longest form below has.
const LONGEST: u64 = 12;

/// The number that an exported function returns without doing anything else, e.g. 34 for `cuInit` of the toolkit's stub.
///
/// None where there is no such function, or it does more.
///
/// # Errors
///
/// If a table lies outside the file, or is bigger than a stub's.
pub fn returned_at_once<R: ReadAt + ?Sized>(data: &R, name: &str) -> Result<Option<u32>, ElfError> {
    let object = Object::open(data)?;
    let Some(Table { range, strings }) = object.section(elf::SHT_DYNSYM)? else { return Ok(None) };
    let (symbols, strings) = (bytes_of(data, range, MAX_SYMBOLS)?, bytes_of(data, strings, MAX_SYMBOLS)?);
    let symbols: &[elf::Sym64<LE>] = slice_from_all_bytes(&symbols).map_err(|()| ElfError::Damaged("symbol table"))?;
    let is_named = |symbol: &&elf::Sym64<LE>| {
        let at = usize::try_from(symbol.st_name.get(LE)).unwrap_or(usize::MAX);
        let text = strings.get(at..).and_then(|rest| rest.strip_prefix(name.as_bytes()));
        symbol.st_bind() != elf::STB_LOCAL && text.is_some_and(|rest| rest.first() == Some(&0))
    };
    let Some(symbol) = symbols.iter().find(is_named) else { return Ok(None) };
    let sections = object.headers.sections()?;
    let Some(section) = sections.get(usize::from(symbol.st_shndx.get(LE).0)) else { return Ok(None) };
    let Some(inside) = symbol.st_value.get(LE).checked_sub(section.sh_addr.get(LE)) else { return Ok(None) };
    let place = file_range(section)?;
    let start = place.start.saturating_add(inside);
    if section.sh_type.get(LE) != elf::SHT_PROGBITS || start >= place.end {
        return Ok(None);
    }
    let code = bytes_of(data, start..place.end.min(start.saturating_add(LONGEST)), LONGEST)?;
    Ok(constant(object.machine(), &code))
}

/// Reads `mov eax, number; ret` and `mov w0, number; ret`, each also after the mark of a place that may be jumped to.
fn constant(machine: Machine, code: &[u8]) -> Option<u32> {
    let after = |mark: &[u8]| code.strip_prefix(mark).unwrap_or(code).to_vec();
    match machine {
        // endbr64: f3 0f 1e fa. mov eax, imm32: b8 and four bytes. ret: c3.
        Machine::X86_64 => match after(b"\xf3\x0f\x1e\xfa").as_slice() {
            [0xb8, a, b, c, d, 0xc3, ..] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
            _ => None,
        },
        // bti c: d503245f. movz w0, imm16: 52800000, the number from bit 5 on. ret: d65f03c0.
        Machine::Aarch64 => match after(&0xd503_245f_u32.to_le_bytes()).as_slice() {
            [a, b, c, d, 0xc0, 0x03, 0x5f, 0xd6, ..] => {
                let word = u32::from_le_bytes([*a, *b, *c, *d]);
                (word & 0xffe0_001f == 0x5280_0000).then_some(word >> 5 & 0xffff)
            }
            _ => None,
        },
        Machine::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_processors_return_a_number_in_two_instructions() {
        let x86 = |code: &[u8]| constant(Machine::X86_64, code);
        assert_eq!(x86(b"\xb8\x22\0\0\0\xc3"), Some(34));
        assert_eq!(x86(b"\xf3\x0f\x1e\xfa\xb8\x22\0\0\0\xc3\x90\x90"), Some(34));
        assert_eq!(x86(b"\xb8\x22\0\0\0\xe8\0\0"), None, "a call follows");
        assert_eq!(x86(b"\xb8\x22\0\0\0"), None, "cut off");
        assert_eq!(x86(b"\xc3"), None);
        // As aarch64-linux-gnu-as writes them: mov w0, #34; mov w0, #34 behind bti c; mov x0, #34.
        let arm = |code: &[u8]| constant(Machine::Aarch64, code);
        assert_eq!(arm(b"\x40\x04\x80\x52\xc0\x03\x5f\xd6"), Some(34));
        assert_eq!(arm(b"\x5f\x24\x03\xd5\x40\x04\x80\x52\xc0\x03\x5f\xd6"), Some(34));
        assert_eq!(arm(b"\x41\x04\x80\x52\xc0\x03\x5f\xd6"), None, "w1 is not what is returned");
        assert_eq!(arm(b"\x40\x04\x80\x52\x00\x00\x00\x14"), None, "a jump follows");
        assert_eq!(constant(Machine::Other(243), b"\xb8\x22\0\0\0\xc3"), None);
    }
}
