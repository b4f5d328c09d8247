# Ruby's Net::FTP: ftps_ruby.rb PORT VERSION COUNT. The scenario; see ../ftps.py.
require "net/ftp"

class Enough < StandardError
end

port, version, count = ARGV
version = "TLS#{version.tr('.', '_')}".to_sym
ftp = Net::FTP.new("127.0.0.1", port: port.to_i, open_timeout: 20, read_timeout: 20, passive: true,
                   username: ENV["FTPS_USER"], password: ENV["FTPS_PASSWORD"],
                   ssl: { verify_mode: OpenSSL::SSL::VERIFY_NONE, min_version: version, max_version: version })
File.write("list", ftp.list.join("\n") + "\n")
count.to_i.times { |i| ftp.putbinaryfile("up/f#{i}", "f#{i}") }
count.to_i.times { |i| ftp.getbinaryfile("f#{i}", "down/f#{i}") }
ftp.resume = true
ftp.getbinaryfile("half", "down/half")
ftp.resume = false
begin
  ftp.retrbinary("RETR big", 4096) { raise Enough }
rescue Enough
  # It has closed the data connection and not read the reply.
  begin
    ftp.send(:voidresp)
  rescue Net::FTPTempError => e
    raise unless e.message.start_with?("426")
  end
end
File.write("list2", ftp.list.join("\n") + "\n")
ftp.quit
